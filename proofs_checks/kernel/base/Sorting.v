(** * Insertion sort, and sorted lists under an order that ties by position *)
From Coq Require Import List Arith Bool Permutation Sorted Lia.
Import ListNotations.

Section Sort.
Variable A : Type.
Variable before : A -> A -> bool.
Fixpoint insert (a : A) (l : list A) : list A :=
  match l with [] => [a] | b :: t => if before a b then a :: b :: t else b :: insert a t end.
Definition sort (l : list A) : list A := fold_right insert [] l.
Lemma insert_perm a l : Permutation (a :: l) (insert a l).
Proof. induction l as [|b t IH]; cbn; [auto|]. destruct (before a b); [auto|]. eapply perm_trans; [apply perm_swap|]. now constructor. Qed.
Lemma sort_perm l : Permutation (sort l) l.
Proof. induction l as [|a t IH]; cbn; [auto|]. eapply perm_trans; [apply Permutation_sym, insert_perm|]. now constructor. Qed.
Hypothesis before_total : forall a b, before a b = true \/ before b a = true.
Hypothesis before_trans : forall a b c, before a b = true -> before b c = true -> before a c = true.
Let R a b := before a b = true.
Lemma insert_sorted a l : StronglySorted R l -> StronglySorted R (insert a l).
Proof.
  induction 1 as [|b t Hs IH Hb]; cbn; [repeat constructor|]. destruct (before a b) eqn:E.
  - constructor; [now constructor|]. constructor; [assumption|]. eapply Forall_impl; [|exact Hb]. intros c Hc. now apply (before_trans a b).
  - constructor; [assumption|]. apply (Permutation_Forall (insert_perm a t)). constructor; [|assumption].
    destruct (before_total a b); unfold R; congruence.
Qed.
Lemma sort_sorted l : StronglySorted R (sort l).
Proof. induction l; cbn; [constructor|now apply insert_sorted]. Qed.
End Sort.
