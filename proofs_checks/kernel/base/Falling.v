(** * Falling order with ties by position, +oo first

    [None] is +oo.  [before y a b]: a stands no later than b when sorted by falling y, equal ones by their number. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia.
From MarketKernel Require Import base.Num base.Sorting.
Import ListNotations.

Section Falling.
Variable N : num.
Local Open Scope num_scope.
Definition aboveb (x y : option N) : bool :=
  match x, y with None, _ => true | Some _, None => false | Some x, Some y => leb y x end.
Definition before (y : nat -> option N) (a b : nat) : bool := aboveb (y a) (y b) && (if aboveb (y b) (y a) then a <=? b else true).
Lemma aboveb_trans x y z : aboveb x y = true -> aboveb y z = true -> aboveb x z = true.
Proof. destruct x, y, z; cbn; try easy. intros H H'. exact (le_trans N _ _ _ H' H). Qed.
Lemma aboveb_total x y : aboveb x y = false -> aboveb y x = true.
Proof. destruct x, y; cbn; try easy. apply leb_total. Qed.
Lemma before_total y a b : before y a b = true \/ before y b a = true.
Proof.
  unfold before. destruct (aboveb (y a) (y b)) eqn:A, (aboveb (y b) (y a)) eqn:B; auto; cbn.
  - rewrite !Nat.leb_le. lia.
  - apply aboveb_total in A. congruence.
Qed.
Lemma before_trans y a b c : before y a b = true -> before y b c = true -> before y a c = true.
Proof.
  unfold before. rewrite !andb_true_iff. intros [H1 H2] [H3 H4]. split; [now apply aboveb_trans with (y b)|].
  destruct (aboveb (y c) (y a)) eqn:F; [|reflexivity].
  rewrite (aboveb_trans _ _ _ H3 F) in H2. rewrite (aboveb_trans _ _ _ F H1) in H4. rewrite Nat.leb_le in *. lia.
Qed.
Lemma before_anti y a b : before y a b = true -> before y b a = true -> a = b.
Proof. unfold before. rewrite !andb_true_iff. intros [H1 H2] [H3 H4]. rewrite H3 in H2. rewrite H1 in H4. rewrite Nat.leb_le in *. lia. Qed.
Lemma before_refl y a : before y a a = true.
Proof. destruct (before_total y a a); assumption. Qed.
(** Two sorted lists of the same agents are one list. *)
Lemma sorted_unique y l : StronglySorted (fun a b => before y a b = true) l -> forall l', StronglySorted (fun a b => before y a b = true) l' ->
  Permutation l l' -> l = l'.
Proof.
  induction 1 as [|a t Hs IH Ha]; intros l' H' P.
  - apply Permutation_nil in P. now subst.
  - destruct l' as [|a' t']; [apply Permutation_sym, Permutation_nil in P; discriminate|].
    inversion_clear H' as [|? ? Hs' Ha']. rewrite Forall_forall in Ha, Ha'.
    assert (a = a') as <-.
    { assert (I : In a (a' :: t')) by (apply (Permutation_in _ P); now left). assert (I' : In a' (a :: t)) by (apply (Permutation_in _ (Permutation_sym P)); now left).
      destruct I as [->|I]; [reflexivity|]. destruct I' as [->|I']; [reflexivity|]. apply (before_anti y); [now apply Ha|now apply Ha']. }
    f_equal. apply IH; [assumption|]. now apply Permutation_cons_inv in P.
Qed.
Lemma sort_sorted_falling y l : StronglySorted (fun a b => before y a b = true) (sort nat (before y) l).
Proof. apply sort_sorted; [apply before_total|apply before_trans]. Qed.
End Falling.
