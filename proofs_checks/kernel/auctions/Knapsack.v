(** * The greedy knapsack with critical payments

    Agents by falling density v/s, ties to the first; each that still fits is accepted.  An accepted i pays s_i times the density
    of the first rival after which, without i, it would not fit any more; nothing if it always fits. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Falling base.Insertion market.Market market.Facts auctions.Myerson.
Import ListNotations.

Section Knapsack.
Variable N : num.
Add Field field_knapsack : (num_field N).
Local Open Scope num_scope.
Notation before := (before N).
Variable agents : list nat.
Hypothesis distinct : NoDup agents.
Variables (s : nat -> N) (capacity : N).
Hypothesis sizes : forall j, 0 < s j.

Definition density (b : nat -> N) (j : nat) : option N := Some (b j / s j).
Fixpoint greedy (used : N) (l : list nat) : list nat :=
  match l with [] => [] | j :: t => if leb (used + s j) capacity then j :: greedy (used + s j) t else greedy used t end.
Definition ranked (b : nat -> N) (l : list nat) : list nat := sort nat (before (density b)) l.
Definition accepted (b : nat -> N) (i : nat) : bool := mem i (greedy 0 (ranked b agents)).
(** The first of the rivals after which i does not fit any more. *)
Fixpoint blocker (i : nat) (used : N) (l : list nat) : option nat :=
  match l with [] => None | j :: t =>
    let used' := if leb (used + s j) capacity then used + s j else used in
    if leb (used' + s i) capacity then blocker i used' t else Some j end.
Definition critical_price (b : nat -> N) (i : nat) : N :=
  match blocker i 0 (ranked b (without i agents)) with Some j => s i * (b j / s j) | None => 0 end.
Definition knapsack : auction N := Auction N accepted (fun b i => if accepted b i then critical_price b i else 0).

Lemma greedy_fits i : forall l used, In i (greedy used l) -> used + s i <= capacity.
Proof.
  induction l as [|j t IH]; intros used H; [destruct H|]. cbn in H. destruct (leb (used + s j) capacity) eqn:F; [|now apply IH].
  destruct H as [->|H]; [exact F|]. apply IH in H. pose proof (lt_le _ _ _ (sizes j)) as P. slack2 H P.
Qed.
Lemma blocker_In i j : forall l used, blocker i used l = Some j -> In j l.
Proof.
  induction l as [|c t IH]; intros used H; [discriminate|]. cbn [blocker] in H.
  set (used' := if leb (used + s c) capacity then used + s c else used) in H. destruct (leb (used' + s i) capacity).
  - right. now apply (IH used').
  - injection H as ->. now left.
Qed.
(** Inserted among sorted rivals, i is accepted exactly when it stands before its blocker. *)
Lemma insert_accepted y i : forall l used, StronglySorted (fun a b => before y a b = true) l -> ~ In i l -> used + s i <= capacity ->
  (In i (greedy used (insert nat (before y) i l)) <-> match blocker i used l with None => True | Some j => before y i j = true end).
Proof.
  induction l as [|c t IH]; intros used Hs Hi F.
  - cbn. unfold le in F. rewrite F. split; [trivial|now left].
  - inversion_clear Hs as [|? ? Hst Hc]. rewrite Forall_forall in Hc. cbn [insert blocker]. destruct (before y i c) eqn:B.
    + split; [|cbn [greedy]; unfold le in F; rewrite F; now left]. intros _.
      set (used' := if leb (used + s c) capacity then used + s c else used). destruct (leb (used' + s i) capacity) eqn:G; [|exact B].
      destruct (blocker i _ t) as [j|] eqn:K; [|trivial]. apply blocker_In in K. apply (before_trans N y i c j); [exact B|now apply Hc].
    + assert (Dc : c <> i) by (intros ->; apply Hi; now left). assert (It : ~ In i t) by (intro Q; apply Hi; now right).
      set (used' := if leb (used + s c) capacity then used + s c else used).
      assert (S : In i (greedy used (c :: insert nat (before y) i t)) <-> In i (greedy used' (insert nat (before y) i t))).
      { cbn [greedy]. unfold used'. destruct (leb (used + s c) capacity); [|tauto]. split; [intros [Q|Q]; [congruence|exact Q]|now right]. }
      rewrite S. destruct (leb (used' + s i) capacity) eqn:G; [now apply IH|]. rewrite B. split; [|discriminate]. intro Q.
      apply greedy_fits in Q. unfold le in Q. congruence.
Qed.
Lemma ranked_insert b i : In i agents -> ranked b agents = insert nat (before (density b)) i (ranked b (without i agents)).
Proof. now apply falling_insert. Qed.
Lemma ranked_rivals b i v w : ranked (put b i v) (without i agents) = ranked (put b i w) (without i agents).
Proof.
  apply sort_ext. intros a c Ha Hc. apply without_In in Ha as [_ Da], Hc as [_ Dc]. unfold Falling.before, density. now rewrite !put_other.
Qed.
Theorem knapsack_critical : has_critical_values N knapsack agents no_debt.
Proof.
  intros b i Hi. set (rivals := ranked (put b i 0) (without i agents)).
  assert (R : forall v, ranked (put b i v) (without i agents) = rivals) by (intro; apply ranked_rivals).
  assert (Sorted : forall v, StronglySorted (fun a c => before (density (put b i v)) a c = true) rivals) by (intro v; rewrite <- (R v); apply sort_sorted_falling).
  assert (Out : ~ In i rivals) by (intro F; apply (Permutation_in _ (sort_perm _ _ _)), without_In in F; tauto).
  destruct (le_or_lt N (0 + s i) capacity) as [F|F].
  2:{ right. intros v _. unfold knapsack; cbn [wins_ pays_]. replace (accepted (put b i v) i) with false; [auto|].
      symmetry. apply mem_not_In. intro Q. apply greedy_fits in Q. now apply (lt_not_le _ _ _ F). }
  assert (W : forall v, accepted (put b i v) i = true <-> match blocker i 0 rivals with None => True | Some j => before (density (put b i v)) i j = true end).
  { intro v. unfold accepted. rewrite mem_In, (ranked_insert _ i Hi), (R v). now apply insert_accepted. }
  assert (Prc : forall v, critical_price (put b i v) i = match blocker i 0 rivals with Some j => s i * (put b i v j / s j) | None => 0 end).
  { intro v. unfold critical_price. now rewrite (R v). }
  destruct (blocker i 0 rivals) as [j|] eqn:K.
  - left. assert (D : j <> i) by (intros ->; apply blocker_In in K; contradiction). exists (s i * (b j / s j)). intros v _.
    unfold knapsack; cbn [wins_ pays_]. rewrite (Prc v), (put_other _ _ i v j D). specialize (W v).
    assert (Sc : forall q, s i * (q / s i) = q) by (intro q; field; apply lt_neq, sizes).
    assert (P : 0 <= s i) by (apply lt_le, sizes).
    destruct (accepted (put b i v) i).
    + split; [|reflexivity]. assert (Q : before (density (put b i v)) i j = true) by now apply W. apply andb_true_iff in Q as [Q _].
      unfold density in Q. cbn in Q. rewrite put_same, put_other in Q by assumption. rewrite <- (Sc v). now apply le_mul.
    + split; [|reflexivity]. assert (Q : before (density (put b i v)) j i = true).
      { destruct (before_total N (density (put b i v)) i j) as [Q|Q]; [apply W in Q; discriminate|exact Q]. }
      apply andb_true_iff in Q as [Q _]. unfold density in Q. cbn in Q. rewrite put_same, put_other in Q by assumption.
      rewrite <- (Sc v). now apply le_mul.
  - (* it always fits: it wins and pays nothing *)
    left. exists 0. intros v Dv. unfold knapsack; cbn [wins_ pays_]. rewrite (Prc v). replace (accepted (put b i v) i) with true; [auto|].
    symmetry. now apply W.
Qed.
Theorem knapsack_dsic : auction_dsic N knapsack agents no_debt.
Proof. apply critical_values_dsic, knapsack_critical. Qed.
Theorem knapsack_ir : auction_ir N knapsack agents no_debt.
Proof. apply critical_values_ir, knapsack_critical. Qed.
End Knapsack.
