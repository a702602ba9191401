(** * Thresholds exist at the paper's law

    "For any thresholds that meet their definition" could be vacuous; it is not. *)
From Coq Require Import Reals Ranalysis5 Lra Psatz Bool List Arith Permutation Sorted Lia.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.RealNumbers base.Falling.
From MarketKernel Require Import market.Market market.Facts market.Threshold market.SqrtLaw.
Import ListNotations.
Local Open Scope R_scope.

Section Root.
Variables K n s w : R.
Hypotheses (HK : 0 < K) (Hs : 0 < s) (Hw : 0 < w).
Let g (y : R) : R := rlaw K n y - rlaw K n (y - s).
Lemma g_form y : s < y -> g y = sqrt K * (/ sqrt (y - s) - / sqrt y).
Proof. intro H. unfold g. apply rlaw_diff; lra. Qed.
Lemma g_continuous y : s < y -> continuity_pt g y.
Proof.
  intro H. assert (C : forall c : R, continuity_pt (fun _ : R => c) y) by (intro; apply continuity_pt_const; now intros ? ?).
  assert (I : continuity_pt (fun z : R => z) y) by apply derivable_continuous_pt, derivable_pt_id.
  unfold g, rlaw. apply continuity_pt_minus; apply continuity_pt_minus; try apply C.
  - apply (continuity_pt_comp (fun z => K / z) sqrt); [apply continuity_pt_div; [apply C|apply I|lra]|].
    apply continuity_pt_sqrt. left. apply Rdiv_lt_0_compat; lra.
  - apply (continuity_pt_comp (fun z => K / (z - s)) sqrt); [apply continuity_pt_div; [apply C|apply continuity_pt_minus; [apply I|apply C]|lra]|].
    apply continuity_pt_sqrt. left. apply Rdiv_lt_0_compat; lra.
Qed.
Lemma root_exists : { y | s < y /\ g y = w }.
Proof.
  set (k := sqrt K). assert (Hk : 0 < k) by now apply sqrt_lt_R0.
  assert (Hq : 0 < sqrt s) by now apply sqrt_lt_R0.
  set (u := w / k + / sqrt s + 1). assert (Hi : 0 < / sqrt s) by now apply Rinv_0_lt_compat.
  assert (Hwk : 0 < w / k) by (apply Rdiv_lt_0_compat; lra). assert (Hu : 1 < u) by (unfold u; lra).
  set (e := / u). assert (He : 0 < e) by (apply Rinv_0_lt_compat; lra).
  set (f := k / w). assert (Hf : 0 < f) by (apply Rdiv_lt_0_compat; lra).
  set (lo := s + e * e). set (hi := s + (f + 1) * (f + 1) + e * e).
  assert (Hlo : s < lo) by (unfold lo; nra). assert (Hhi : s < hi) by (unfold hi; nra).
  assert (Glo : w < g lo).
  { rewrite g_form by assumption. fold k. replace (lo - s) with (e * e) by (unfold lo; lra). rewrite sqrt_square by lra.
    unfold e at 1. rewrite Rinv_inv. assert (/ sqrt lo <= / sqrt s).
    { apply Rinv_le_contravar; [assumption|]. apply sqrt_le_1; lra. }
    assert (w / k < u - / sqrt lo) by (unfold u; lra).
    apply (Rmult_lt_compat_l k) in H0; [|assumption]. replace (k * (w / k)) with w in H0 by (field; lra). exact H0. }
  assert (Ghi : g hi < w).
  { rewrite g_form by assumption. fold k. assert (0 < / sqrt hi) by (apply Rinv_0_lt_compat, sqrt_lt_R0; lra).
    assert (f < sqrt (hi - s)). { rewrite <- (sqrt_square f) by lra. apply sqrt_lt_1; unfold hi; nra. }
    assert (/ sqrt (hi - s) < / f) by (apply Rinv_lt_contravar; [apply Rmult_lt_0_compat; lra|assumption]).
    assert (W : k * / f = w) by (unfold f; field; lra).
    apply Rlt_le_trans with (k * / f); [|lra]. apply Rmult_lt_compat_l; lra. }
  destruct (IVT_interv (fun y => w - g y) lo hi) as (y & Hy & Ey).
  - intros a Ha. apply continuity_pt_minus; [apply continuity_pt_const; now intros ? ?|apply g_continuous; lra].
  - unfold lo, hi. nra.
  - lra.
  - lra.
  - exists y. split; lra.
Qed.
End Root.

Section Rule.
Variables (m : nat) (e : (nat -> R) -> nat -> nat -> R) (d : nat -> nat -> R) (l : R).
Let E := sqrt_market m e d l.
Definition find_threshold (r : types reals) (i j : nat) : option R :=
  let w := weight E r i j in
  match Rlt_dec 0 w with right _ => None | left Hw =>
    match Rlt_dec 0 (gain r i), Rlt_dec 0 (samples E r i j) with
    | left HK, left Hs => Some (proj1_sig (root_exists (gain r i) (size r i) (samples E r i j) w HK Hs Hw))
    | _, _ => Some (samples E r i j) end end.
Definition order (r : types reals) (i : nat) : list nat := sort nat (before reals (find_threshold r i)) (others E i).
(** The rule of the reference is a rule: at the square-root law every threshold exists. *)
Theorem reference_rule_exists : threshold_rule reals E find_threshold order.
Proof.
  split.
  - intros r i j VM V Hi Hj. destruct (V i Hi) as (_ & _ & HK). pose proof (samples_nonneg _ E r i j VM V Hi Hj) as Hs.
    apply le_R in HK, Hs. cbn in HK, Hs.
    unfold find_threshold, is_threshold. set (w := weight E r i j). destruct (Rlt_dec 0 w) as [Hw|Hw].
    + assert (Z : gain r i = 0 \/ samples E r i j = 0 -> forall y, ~ root reals E r i j y).
      { intros H y [_ Ey]. change (rlaw (gain r i) (size r i) y - rlaw (gain r i) (size r i) (y - samples E r i j) = w) in Ey.
        destruct H as [H|H]; rewrite H in Ey.
        - unfold rlaw in Ey. assert (Z : forall z, 0 / z = 0) by (intro; unfold Rdiv; ring). rewrite !Z, sqrt_0 in Ey. lra.
        - rewrite Rminus_0_r in Ey. lra. }
      destruct (Rlt_dec 0 (gain r i)) as [K|K]; [destruct (Rlt_dec 0 (samples E r i j)) as [S|S]|].
      * split; [now apply lt_R|left]. destruct (root_exists _ _ _ _ K S Hw) as (y & Hy & Ey). cbn. split; [now apply lt_R|exact Ey].
      * split; [now apply lt_R|right]. split; [reflexivity|]. apply Z. right. apply Rle_antisym; [now apply Rnot_lt_le|exact Hs].
      * split; [now apply lt_R|right]. split; [reflexivity|]. apply Z. left. apply Rle_antisym; [now apply Rnot_lt_le|exact HK].
    + apply le_R. now apply Rnot_lt_le.
  - intros r i. apply sort_perm.
  - intros r i. apply sort_sorted; [apply before_total|apply before_trans].
Qed.
End Rule.
