(** * At the paper's law thresholds fall with the weight, so that the prefix lemma holds there without a premise *)
From Coq Require Import Reals Lra Psatz Bool List Arith Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers base.Falling market.Market market.Facts market.Threshold market.SqrtLaw.
From MarketKernel Require Import market.ThresholdExists market.Prefix.
Local Open Scope R_scope.

Section Sqrt.
Variables (m : nat) (e : (nat -> R) -> nat -> nat -> R) (d : nat -> nat -> R) (l : R).
Let E := sqrt_market m e d l.
Lemma gap_falls K n s y z : 0 < K -> 0 < s -> s < y -> y < z -> rlaw K n z - rlaw K n (z - s) < rlaw K n y - rlaw K n (y - s).
Proof.
  intros HK Hs Hy Hz. rewrite !rlaw_diff by lra. apply Rmult_lt_compat_l; [now apply sqrt_lt_R0|].
  pose proof (step_strict (y - s) (z - y) s ltac:(lra) ltac:(lra) Hs) as H.
  replace (y - s + (z - y)) with (z - s) in H by lra. replace (z - s + s) with z in H by lra. now replace (y - s + s) with y in H by lra.
Qed.
Theorem sqrt_thresholds_fall x ord : threshold_rule reals E x ord -> thresholds_fall reals E x.
Proof.
  intros rule r r' k j VM V V' Hk Hj Hn HK He Hc.
  pose proof (thr_root _ _ _ _ rule r k j VM V Hk Hj) as T. pose proof (thr_root _ _ _ _ rule r' k j VM V' Hk Hj) as T'.
  assert (Hw : weight E r k j <= weight E r' k j).
  { apply le_R in Hc. unfold weight, pen. rewrite He, Hn. cbn in *. lra. }
  destruct (V k Hk) as (_ & _ & K0). pose proof (samples_nonneg _ E r k j VM V Hk Hj) as S0. apply le_R in K0, S0. cbn in K0, S0.
  unfold is_threshold, root in *. rewrite <- Hn, <- HK, <- He in T'.
  destruct (x r k j) as [z|]; [|reflexivity]. destruct (x r' k j) as [z'|].
  2:{ apply le_R in T'. destruct T as [T _]. apply lt_R in T. cbn in *. lra. }
  destruct T as [W T], T' as [W' T']. apply lt_R in W, W'. cbn in W, W'. apply le_R. 
  change (law E) with rlaw in *. set (K := gain r k) in *. set (n := size r k) in *. set (s := samples E r k j) in *.
  change (@zero reals) with 0 in *. cbn [carrier reals sub] in T, T'. unfold lt in T, T'. cbn [leb reals] in T, T'.
  assert (Some_root : forall w, 0 < w -> 0 < K -> 0 < s -> exists y, Rleb y s = false /\ rlaw K n y - rlaw K n (y - s) = w).
  { intros w H1 H2 H3. destruct (root_exists K n s w H2 H3 H1) as (y & Hy & Ey). exists y. split; [now apply Rleb_lt|exact Ey]. }
  assert (No_root : K = 0 \/ s = 0 -> forall w y, 0 < w -> rlaw K n y - rlaw K n (y - s) = w -> False).
  { intros [H|H] w y Hpos Ey; rewrite H in Ey.
    - unfold rlaw in Ey. assert (Z : forall q, 0 / q = 0) by (intro; unfold Rdiv; ring). rewrite !Z, sqrt_0 in Ey. lra.
    - rewrite Rminus_0_r in Ey. lra. }
  destruct (Rlt_dec 0 K) as [HK0|HK0]; [destruct (Rlt_dec 0 s) as [HS0|HS0]|].
  - destruct T as [[T1 T2]|[_ T]]; [|exfalso; destruct (Some_root _ W HK0 HS0) as (q & Q); apply (T q), Q].
    destruct T' as [[T1' T2']|[_ T']]; [|exfalso; destruct (Some_root _ W' HK0 HS0) as (q & Q); apply (T' q), Q].
    apply Rleb_lt in T1, T1'. destruct (Rle_lt_dec z' z) as [F|F]; [exact F|exfalso].
    pose proof (gap_falls K n s z z' HK0 HS0 T1 F) as G. rewrite T2, T2' in G. exact (Rlt_not_le _ _ G Hw).
  - assert (Hs : s = 0) by (apply Rle_antisym; [now apply Rnot_lt_le|exact S0]). destruct T as [[_ T2]|[T _]]; [exfalso; now apply (No_root (or_intror Hs) _ z W)|].
    destruct T' as [[_ T2']|[T' _]]; [exfalso; now apply (No_root (or_intror Hs) _ z' W')|]. rewrite T, T'. apply Rle_refl.
  - assert (Hs : K = 0) by (apply Rle_antisym; [now apply Rnot_lt_le|exact K0]). destruct T as [[_ T2]|[T _]]; [exfalso; now apply (No_root (or_introl Hs) _ z W)|].
    destruct T' as [[_ T2']|[T' _]]; [exfalso; now apply (No_root (or_introl Hs) _ z' W')|]. rewrite T, T'. apply Rle_refl.
Qed.
Theorem ipfl_overstating_sqrt x ord : threshold_rule reals E x ord -> forall th r i b, valid_market E -> valid E r -> (i < clients E)%nat ->
  cost r i = cost th i -> (cost th i <= b)%num -> (utility E (ipfl reals E x ord) th (set_cost r i b) i <= utility E (ipfl reals E x ord) th r i)%num.
Proof.
  intros rule th r i b VM V Hi Hc Hb. apply ipfl_overstating; auto; [exact (sqrt_thresholds_fall x ord rule)|apply sqrt_falling|apply sqrt_rising].
Qed.
End Sqrt.
