(** * Sorting with and without one agent

    The falling order of all agents is that of i's rivals with i inserted: the rivals ahead of i, i, the others. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Falling.
Import ListNotations.

Lemma sort_ext (p q : nat -> nat -> bool) : forall l, (forall a b, In a l -> In b l -> p a b = q a b) -> sort nat p l = sort nat q l.
Proof.
  induction l as [|a t IH]; intro H; [reflexivity|]. change (insert nat p a (sort nat p t) = insert nat q a (sort nat q t)). rewrite IH by (intros; apply H; now right).
  assert (G : forall l', incl l' t -> insert nat p a l' = insert nat q a l').
  { induction l' as [|c r IHl]; intro I; [reflexivity|]. cbn. rewrite (H a c) by (first [now left | right; apply I; now left]).
    destruct (q a c); [reflexivity|]. f_equal. apply IHl. intros z Hz. apply I. now right. }
  apply G. intros z Hz. now apply (Permutation_in _ (sort_perm nat q t)).
Qed.

Section Insertion.
Variable N : num.
Local Open Scope num_scope.
Notation before := (before N).
Lemma falling_insert y l i : NoDup l -> In i l -> sort nat (before y) l = insert nat (before y) i (sort nat (before y) (without i l)).
Proof.
  intros Hl Hi. apply (sorted_unique N y).
  - apply sort_sorted_falling.
  - apply insert_sorted; [apply before_total|apply before_trans|apply sort_sorted_falling].
  - eapply perm_trans; [apply sort_perm|]. eapply perm_trans; [|apply insert_perm].
    apply NoDup_Permutation; [assumption| |].
    + constructor; [intro F; apply (Permutation_in _ (sort_perm _ _ _)), without_In in F; tauto|].
      apply (Permutation_NoDup (Permutation_sym (sort_perm _ _ _))). now apply without_NoDup.
    + intro j. split.
      * intro H. destruct (Nat.eq_dec j i) as [->|D]; [now left|]. right. apply (Permutation_in _ (Permutation_sym (sort_perm _ _ _))), without_In. auto.
      * intros [<-|H]; [assumption|]. now apply (Permutation_in _ (sort_perm _ _ _)), without_In in H.
Qed.
Lemma insert_split y i : forall l, StronglySorted (fun a b => before y a b = true) l -> exists u w, l = u ++ w /\
  insert nat (before y) i l = u ++ i :: w /\ (forall a, In a u -> before y a i = true) /\ (forall a, In a w -> before y i a = true).
Proof.
  induction l as [|c t IH]; intro Hs.
  - exists [], []. repeat split; intros a [].
  - inversion_clear Hs as [|? ? Ht Hc]. rewrite Forall_forall in Hc. cbn [insert]. destruct (before y i c) eqn:B.
    + exists [], (c :: t). repeat split; [intros a []|]. intros a [<-|Ha]; [assumption|]. apply (before_trans N y i c a); auto.
    + destruct (IH Ht) as (u & w & -> & E & Hu & Hw). exists (c :: u), w. cbn. rewrite E. repeat split; auto.
      intros a [<-|Ha]; [|auto]. destruct (before_total N y c i); congruence.
Qed.
Lemma sorted_nth y l : StronglySorted (fun a b => before y a b = true) l -> forall k k' a b, (k < k')%nat ->
  nth_error l k = Some a -> nth_error l k' = Some b -> before y a b = true.
Proof.
  induction 1 as [|c t Hs IH Hc]; intros k k' a b Hk Ea Eb; [destruct k; discriminate|]. rewrite Forall_forall in Hc.
  destruct k as [|k]; destruct k' as [|k']; try lia; cbn in Ea, Eb.
  - injection Ea as <-. apply Hc. now apply nth_error_In in Eb.
  - apply (IH k k'); auto. lia.
Qed.
End Insertion.
