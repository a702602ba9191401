(** * ipfl is not truthful in costs

    K = 3600, n = 100, two sellers of 300 with costs 1.1 and 1: the dearer is not taken.  Saying 0.9 it is taken alone, is
    paid its marginal contribution 3, and gains 1.9.  At the paper's law over the reals, however thresholds are found. *)
From Coq Require Import Reals Ranalysis5 Lra Psatz Bool List Arith Permutation Sorted Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers base.Falling market.Market market.Facts market.Threshold market.SqrtLaw.
From MarketKernel Require Import market.ThresholdExists.
Import ListNotations.
Local Open Scope R_scope.

Definition two : market reals := sqrt_market 3 (@plain reals) (fun _ _ => 0) 0.
Definition truth : types reals := @Types reals
  (fun i => match i with O => 100 | _ => 300 end)
  (fun i => match i with 1%nat => 11/10 | _ => 1 end)
  (fun i => match i with O => 3600 | _ => 0 end).
(** The same with another reported cost of seller 1 *)
Definition says (c : R) : types reals := @set_cost reals truth 1%nat c.
Lemma two_valid : valid_market two.
Proof.
  split; [|split]; [apply le_R; cbn; lra|intros; apply le_R; cbn; lra|].
  intros n H i j _ Hj. apply (base.Num.lt_le reals), H, Hj.
Qed.
Lemma truth_valid : valid two truth.
Proof.
  intros i _. cbn [truth size cost gain]. rewrite !le_R, lt_R. cbn. destruct i as [|[|i]]; lra.
Qed.

Lemma says_valid c : 0 <= c -> valid two (says c).
Proof.
  intros Hc i _. cbn [says set_cost truth size cost gain]. rewrite !le_R, lt_R. unfold put. destruct i as [|[|i]]; cbn; lra.
Qed.

Definition gap (y : R) : R := rlaw 3600 100 y - rlaw 3600 100 (y - 300).
Lemma sqrt_60 : sqrt 3600 = 60.
Proof. replace 3600 with (60 * 60) by lra. apply sqrt_square. lra. Qed.
Lemma gap_falls x y : 300 < x -> x < y -> gap y < gap x.
Proof.
  intros Hx Hy. unfold gap. rewrite !rlaw_diff by lra. apply Rmult_lt_compat_l; [rewrite sqrt_60; lra|].
  pose proof (step_strict (x - 300) (y - x) 300 ltac:(lra) ltac:(lra) ltac:(lra)) as H.
  replace (x - 300 + (y - x)) with (y - 300) in H by lra. replace (y - 300 + 300) with y in H by lra.
  now replace (x - 300 + 300) with x in H by lra.
Qed.
Lemma gap_400 : gap 400 = 3.
Proof.
  unfold gap, rlaw. replace (3600 / 400) with (3 * 3) by lra. replace (3600 / (400 - 300)) with (6 * 6) by lra.
  rewrite !sqrt_square; lra.
Qed.
Lemma gap_700 : gap 700 < 9/10.
Proof.
  unfold gap, rlaw. replace (3600 / (700 - 300)) with (3 * 3) by lra. rewrite sqrt_square by lra.
  assert (22/10 < sqrt (3600 / 700)) by (rewrite <- (sqrt_square (22/10)) by lra; apply sqrt_lt_1; lra). lra.
Qed.
Lemma gap_continuous y : 400 <= y -> continuity_pt gap y.
Proof.
  intro H. unfold gap, rlaw.
  assert (C : forall s, y - s > 0 -> continuity_pt (fun z => sqrt (3600 / (z - s))) y).
  { intros s Hs. apply (continuity_pt_comp (fun z => 3600 / (z - s)) sqrt).
    - apply continuity_pt_div; [apply continuity_pt_const; now intros ? ?|apply continuity_pt_minus; [apply derivable_continuous_pt, derivable_pt_id|apply continuity_pt_const; now intros ? ?]|lra].
    - apply continuity_pt_sqrt. left. apply Rdiv_lt_0_compat; lra. }
  assert (K : forall c : R, continuity_pt (fun _ : R => c) y) by (intro; apply continuity_pt_const; now intros ? ?).
  apply continuity_pt_minus; apply continuity_pt_minus; try apply K.
  - apply (continuity_pt_comp (fun z => 3600 / z) sqrt).
    + apply continuity_pt_div; [apply K|apply derivable_continuous_pt, derivable_pt_id|lra].
    + apply continuity_pt_sqrt. left. apply Rdiv_lt_0_compat; lra.
  - apply C. lra.
Qed.
Lemma gap_root w : 9/10 <= w -> w < 3 -> exists y, 300 < y /\ gap y = w.
Proof.
  intros Hw Hw'. destruct (IVT_interv (fun y => w - gap y) 400 700) as (y & Hy & E).
  - intros a Ha. apply continuity_pt_minus; [apply continuity_pt_const; now intros ? ?|apply gap_continuous; lra].
  - lra.
  - rewrite gap_400. lra.
  - pose proof gap_700. lra.
  - exists y. lra.
Qed.

Section Any.
Variable x : types reals -> nat -> nat -> option reals.
Variable ord : types reals -> nat -> list nat.
Hypothesis rule : threshold_rule reals two x ord.
Notation ipfl := (ipfl reals two x ord).

Lemma weight_two (r : types reals) i j : weight two r i j = cost r j.
Proof. unfold weight, pen. cbn. unfold Rdiv. ring. Qed.
(** The buyer's thresholds are where the gap meets the price *)
Lemma buyer_threshold (r : types reals) j : valid two r -> (j < 3)%nat -> size r = size truth -> gain r = gain truth -> (0 < j)%nat ->
  9/10 <= cost r j < 3 -> exists y, x r 0 j = Some y /\ 300 < y /\ gap y = cost r j.
Proof.
  intros V J Hs Hg Hj Hc. pose proof (thr_root _ _ _ _ rule r 0%nat j two_valid V (Nat.lt_0_succ 2) J) as T. unfold is_threshold, root in T. change (samples two r) with (fun _ j : nat => size r j) in T. cbv beta in T.
  rewrite weight_two, Hs, Hg in T. destruct (x r 0%nat j) as [y|].
  - assert (S : size truth j = 300) by (destruct j; [lia|reflexivity]). rewrite S in T. exists y. split; [reflexivity|].
    destruct T as [_ [[T1 T2]|[_ T]]].
    + apply lt_R in T1. cbn in T1, T2. unfold gap. cbn. split; [exact T1|exact T2].
    + exfalso. destruct (gap_root (cost r j)) as (z & Hz & Ez); [lra|lra|]. apply (T z). split; [now apply lt_R|exact Ez].
  - apply le_R in T. exfalso. apply (Rlt_irrefl 0). apply Rlt_le_trans with (cost r j); [lra|exact T].
Qed.
(** Who gains nothing buys nothing that costs something *)
Lemma nothing (r : types reals) i : valid two r -> (i < 3)%nat -> gain r i = 0 -> (forall j, 0 < size r j) -> (forall j, 0 < cost r j) -> taken reals two x ord r i = [].
Proof.
  intros V Hi Hg Hs Hc. unfold taken. destruct (ord r i) as [|j t] eqn:O; [reflexivity|].
  change (take reals _ _ _ _) with (if under reals (size r i + size r j) (x r i j) then j :: take reals (samples two r i) (x r i) (size r i + size r j) t else []).
  assert (J : (j < 3)%nat).
  { assert (In j (others two i)) as H by (apply (Permutation_in _ (ord_perm _ _ _ _ rule r i)); rewrite O; now left). now apply others_In in H. }
  pose proof (thr_root _ _ _ _ rule r i j two_valid V Hi J) as T. unfold is_threshold, root in T. change (samples two r) with (fun _ j : nat => size r j) in T. cbv beta in T. rewrite weight_two in T.
  destruct (x r i j) as [y|]; cbn.
  - destruct T as [_ [[_ T]|[-> _]]].
    + exfalso. cbn in T. rewrite Hg in T. unfold rlaw in T.
      assert (Z : forall z, 0 / z = 0) by (intro; unfold Rdiv; ring). rewrite !Z, sqrt_0 in T. specialize (Hc j). lra.
    + replace (Rleb (size r j) (size r i + size r j)) with true; [reflexivity|]. symmetry. apply Rleb_le. specialize (Hs i). lra.
  - apply le_R in T. exfalso. specialize (Hc j). apply (Rlt_irrefl 0). now apply Rlt_le_trans with (cost r j).
Qed.
(** Two sellers of 300, both thresholds between 400 and 700: the cheaper one is taken alone *)
Lemma cheaper_alone (r : types reals) a b : valid two r -> size r = size truth -> gain r = gain truth ->
  (a = 1 /\ b = 2 \/ a = 2 /\ b = 1)%nat -> 9/10 <= cost r a -> cost r a < cost r b -> cost r b < 3 -> taken reals two x ord r 0 = [a].
Proof.
  intros V Hs Hg Hab Ha Hlt Hb.
  destruct (buyer_threshold r a V ltac:(lia) Hs Hg) as (ya & Xa & Ya & Ga); [lia|lra|].
  destruct (buyer_threshold r b V ltac:(lia) Hs Hg) as (yb & Xb & Yb & Gb); [lia|lra|].
  assert (ya > yb) as Hy. { destruct (Rle_lt_dec ya yb) as [[L|L]|L]; [pose proof (gap_falls _ _ Ya L); lra|subst; lra|exact L]. }
  assert (400 < ya) as H4. { destruct (Rle_lt_dec ya 400) as [[L|L]|L]; [|subst; rewrite gap_400 in *; lra|exact L]. pose proof (gap_falls _ _ Ya L). rewrite gap_400 in *. lra. }
  assert (yb < 700) as H7. { destruct (Rle_lt_dec 700 yb) as [[L|L]|L]; [|subst; pose proof gap_700; lra|exact L]. pose proof (gap_falls 700 yb ltac:(lra) L). pose proof gap_700. lra. }
  assert (Sa : size r a = 300 /\ size r b = 300 /\ size r 0%nat = 100).
  { rewrite Hs. destruct Hab as [[-> ->]|[-> ->]]; auto. } destruct Sa as (Sa & Sb & S0).
  assert (P := ord_perm _ _ _ _ rule r 0%nat). change (others two 0) with [1; 2]%nat in P.
  assert (O : ord r 0%nat = [a; b]).
  { assert (Permutation [a; b] (ord r 0%nat)) as Q.
    { apply Permutation_sym in P. destruct Hab as [[-> ->]|[-> ->]]; [assumption|]. eapply perm_trans; [apply perm_swap|assumption]. }
    apply Permutation_length_2_inv in Q. destruct Q as [Q|Q]; [assumption|exfalso].
    pose proof (ord_sorted _ _ _ _ rule r 0%nat) as S. rewrite Q in S. apply StronglySorted_inv in S as [_ S].
    apply Forall_inv in S. unfold before, aboveb in S. rewrite Xa, Xb in S. apply andb_true_iff in S as [S _]. apply (le_R ya yb) in S. lra. }
  unfold taken. change (samples two r 0%nat) with (size r). rewrite O. cbn. rewrite Xa, Xb, Sa, Sb, S0. cbn.
  replace (Rleb ya (100 + 300)) with false by (symmetry; apply Rleb_lt; lra). cbn.
  replace (Rleb yb (100 + 300 + 300)) with true by (symmetry; apply Rleb_le; lra). reflexivity.
Qed.
Lemma seller_buys_nothing r : valid two r -> size r = size truth -> gain r = gain truth -> (forall j, 0 < cost r j) -> forall i, (0 < i < 3)%nat -> taken reals two x ord r i = [].
Proof.
  intros V Hs Hg Hc i Hi. apply nothing; [assumption|lia|rewrite Hg; destruct i; [lia|reflexivity]| |assumption].
  intro j. rewrite Hs. destruct j; cbn; lra.
Qed.
(** Truth, 1.1, leaves the first seller 0; saying 0.9 leaves it 1.9. *)
Theorem truth_leaves_nothing : utility two ipfl truth (says (11/10)) 1 = 0.
Proof.
  assert (V : valid two (says (11/10))) by (apply says_valid; lra).
  assert (C : forall j, 0 < cost (says (11/10)) j) by (intros [|[|j]]; cbn; lra).
  unfold utility, bought, sold. change (others two 1) with [0; 2]%nat. cbn [Threshold.ipfl buys price sum].
  rewrite (seller_buys_nothing (says (11/10)) V eq_refl eq_refl C 1), (seller_buys_nothing (says (11/10)) V eq_refl eq_refl C 2) by lia.
  rewrite (cheaper_alone (says (11/10)) 2 1) by (first [assumption | reflexivity | lia | cbn; lra]). unfold value, data, samples. cbn. unfold plain. cbn. unfold rlaw.
  assert (Z : forall z, 0 / z = 0) by (intro; unfold Rdiv; ring). rewrite !Z. cbn. lra.
Qed.
Theorem lie_leaves_more : utility two ipfl truth (says (9/10)) 1 = 19/10.
Proof.
  assert (V : valid two (says (9/10))) by (apply says_valid; lra).
  assert (C : forall j, 0 < cost (says (9/10)) j) by (intros [|[|j]]; cbn; lra).
  unfold utility, bought, sold. change (others two 1) with [0; 2]%nat. cbn [Threshold.ipfl buys price sum].
  rewrite (seller_buys_nothing (says (9/10)) V eq_refl eq_refl C 1), (seller_buys_nothing (says (9/10)) V eq_refl eq_refl C 2) by lia.
  assert (T : taken reals two x ord (says (9/10)) 0 = [1%nat]) by (apply (cheaper_alone (says (9/10)) 1 2); first [assumption | reflexivity | lia | cbn; lra]).
  unfold marginal_price, marginal, pen. rewrite T. unfold value, data, samples. cbn. unfold plain. cbn. unfold rlaw.
  assert (Z : forall z, 0 / z = 0) by (intro; unfold Rdiv; ring). rewrite !Z, sqrt_0.
  replace (3600 / (100 + (300 + 0))) with (3 * 3) by lra. replace (3600 / (100 + 0)) with (6 * 6) by lra.
  replace (3600 / 100) with (6 * 6) by lra. rewrite !sqrt_square by lra. unfold Rdiv. lra.
Qed.
Theorem ipfl_not_dsic_cost : ~ dsic_cost two ipfl.
Proof.
  intro D. specialize (D truth truth 1%nat (9/10)). assert (1 < clients two)%nat as L by (cbn; lia). specialize (D L).
  apply le_R in D. fold (says (9/10)) in D. change (set_cost truth 1 (cost truth 1%nat)) with (says (11/10)) in D.
  rewrite lie_leaves_more, truth_leaves_nothing in D. lra.
Qed.
End Any.

(** The same of the rule that exists: individually rational, and not truthful in costs. *)
Corollary reference_rule_refuted : let M := ipfl reals two (find_threshold 3 (@plain reals) (fun _ _ => 0) 0) (order 3 (@plain reals) (fun _ _ => 0) 0) in
  ir two M /\ ~ dsic_cost two M.
Proof.
  assert (H := reference_rule_exists 3 (@plain reals) (fun _ _ => 0) 0). split.
  - apply ipfl_ir; [exact H|apply sqrt_falling|apply sqrt_rising|apply sqrt_starts].
  - now apply ipfl_not_dsic_cost.
Qed.
