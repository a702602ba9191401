(** * ipfl fails in gain and in size by the same lies: K = 900 in place of 3600, 800 samples in place of 300 *)
From Coq Require Import Reals Lra Psatz Bool List Arith Permutation Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers base.Falling market.Market market.Facts market.SqrtLaw market.Threshold.
From MarketKernel Require Import market.ThresholdExists market.PrefixSqrt refuted.Roots refuted.Pair.
Import ListNotations.
Local Open Scope R_scope.

Section Any.
Variable x : types reals -> nat -> nat -> option reals.
Variable ord : types reals -> nat -> list nat.
Hypothesis rule : threshold_rule reals (free 2) x ord.
Notation taken := (taken reals (free 2) x ord).
Lemma taken_pair (r : types reals) i j : others (free 2) i = [j] -> taken r i = if under reals (size r i + size r j) (x r i j) then [j] else [].
Proof.
  intro O. pose proof (ord_perm _ _ _ _ rule r i) as P. rewrite O in P. apply Permutation_sym, Permutation_length_1_inv in P. unfold Threshold.taken. rewrite P. reflexivity.
Qed.
Lemma root_form (r : types reals) i j y : root reals (free 2) r i j y -> size r j < y /\ rlaw (gain r i) (size r i) y - rlaw (gain r i) (size r i) (y - size r j) = cost r j.
Proof. intros [H H']. rewrite free_weight in H'. apply lt_R in H. split; [exact H|exact H']. Qed.
Lemma ipfl_buys (r : types reals) g : valid (free 2) r -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> taken r 0 = [1%nat].
Proof.
  intros V G H. rewrite (taken_pair r 0 1 eq_refl). destruct (V 0%nat ltac:(cbn; lia)) as (Hn & _ & HK). destruct (V 1%nat ltac:(cbn; lia)) as (Hs & Hc & _).
  apply le_R in HK, Hc. apply lt_R in Hn, Hs. cbn in HK, Hc, Hn, Hs.
  pose proof (thr_root _ _ _ _ rule r 0%nat 1%nat (free_valid 2) V ltac:(cbn; lia) ltac:(cbn; lia)) as T. unfold is_threshold in T.
  destruct (x r 0%nat 1%nat) as [y|]; [|reflexivity]. cbn [under]. destruct T as [W T]. rewrite free_weight in W. apply lt_R in W. cbn in W.
  assert (K0 : 0 < gain r 0%nat).
  { destruct (Rle_lt_or_eq_dec _ _ HK) as [|E]; [assumption|exfalso]. rewrite <- E, law_no_gain in G. lra. }
  destruct T as [T|[_ T]].
  - apply root_form in T as [Hy T]. replace (leb y (size r 0%nat + size r 1%nat)) with false; [reflexivity|]. symmetry. apply Rleb_lt.
    destruct (Rle_lt_dec y (size r 0%nat + size r 1%nat)) as [[L|L]|L]; [exfalso|exfalso|exact L].
    + pose proof (gap_falls (gain r 0%nat) (size r 0%nat) (size r 1%nat) y _ K0 Hs Hy L) as F. rewrite T, G in F.
      replace (size r 0%nat + size r 1%nat - size r 1%nat) with (size r 0%nat) in F by (cbn; lra).
      unfold rlaw in F at 1. lra.
    + rewrite L, G in T. replace (size r 0%nat + size r 1%nat - size r 1%nat) with (size r 0%nat) in T by (cbn; lra). unfold rlaw in T at 1. lra.
  - exfalso. destruct (root_exists (gain r 0%nat) (size r 0%nat) (size r 1%nat) (cost r 1%nat) K0 Hs W) as (z & Hz & Ez).
    apply (T z). split; [now apply lt_R|]. rewrite free_weight. exact Ez.
Qed.
Lemma ipfl_buys_nothing (r : types reals) : valid (free 2) r -> gain r 1%nat = 0 -> 0 < cost r 0%nat -> taken r 1 = [].
Proof.
  intros V G H. rewrite (taken_pair r 1 0 eq_refl). destruct (V 1%nat ltac:(cbn; lia)) as (Hs & _ & _). apply lt_R in Hs. cbn in Hs.
  pose proof (thr_root _ _ _ _ rule r 1%nat 0%nat (free_valid 2) V ltac:(cbn; lia) ltac:(cbn; lia)) as T. unfold is_threshold in T.
  destruct (x r 1%nat 0%nat) as [y|].
  - destruct T as [_ [T|[-> _]]].
    + exfalso. apply root_form in T as [_ T]. rewrite G, !law_no_gain in T. lra.
    + cbn [under]. change (samples (free 2) r 1 0) with (size r 0%nat). replace (leb (size r 0%nat) (size r 1%nat + size r 0%nat)) with true; [reflexivity|].
      symmetry. apply Rleb_le. cbn. lra.
  - exfalso. rewrite free_weight in T. apply le_R in T. apply (Rlt_irrefl 0). now apply Rlt_le_trans with (cost r 0%nat).
Qed.
Lemma ipfl_whole (r : types reals) g : valid (free 2) r -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g ->
  marginal_price reals (free 2) x ord r 0 1 = g.
Proof.
  intros V G H. unfold marginal_price. rewrite (free_pen 2), (ipfl_buys r g V G H). unfold marginal.
  pose proof (objective_one 2 r 0%nat 1%nat) as A. pose proof (objective_none 2 r 0%nat) as B. unfold objective in A, B. cbn [sum] in A, B. rewrite free_weight in A.
  rewrite G in A. change (without 1 [1%nat]) with (@nil nat). cbn in *. lra.
Qed.
Theorem ipfl_not_dsic_gain : ~ dsic_gain (free 2) (ipfl reals (free 2) x ord).
Proof. apply (pair_not_dsic_gain _ _ (fun g _ => g)); [lra|exact ipfl_buys|exact ipfl_buys_nothing|exact ipfl_whole]. Qed.
Theorem ipfl_not_dsic_size : ~ dsic_size (free 2) (ipfl reals (free 2) x ord).
Proof. apply (pair_not_dsic_size _ _ (fun g _ => g)); [lra|exact ipfl_buys|exact ipfl_buys_nothing|exact ipfl_whole]. Qed.
End Any.
