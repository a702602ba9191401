(** * A certificate of optimality, and that it certifies

    A tree decides the sellers one after the other, in the order of clients: each leaf holds a line a + s x above the gain law, and bounds all
    sets below it by a + s (data so far) - (weights so far) + the sum over undecided sellers of max(0, s e_j - w_j).  If no
    bound exceeds [limit], no set does.  What found the tree is not trusted: branch and bound, or anything else. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Laws.
Import ListNotations.

Section Certificate.
Variable N : num.
Add Field field_certificate : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variables (r : types N) (i : nat).
Inductive tree := Line (a s : N) | Done | Decide (with_it without_it : tree).
Definition above_law (a s : N) : Prop := forall x, 0 < x -> law E (gain r i) (size r i) x <= a + s * x.
Fixpoint lines_above (t : tree) : Prop := match t with Line a s => above_law a s | Done => True | Decide t u => lines_above t /\ lines_above u end.
Definition part (x : N) : N := if leb 0 x then x else 0.
Fixpoint certifies (limit : N) (t : tree) (l : list nat) (d w : N) : bool :=
  match t, l with
  | Line a s, _ => leb (a + s * d - w + sum (fun j => part (s * samples E r i j - weight E r i j)) l) limit
  | Done, [] => leb (law E (gain r i) (size r i) d - w) limit
  | Decide t u, j :: l => certifies limit t l (d + samples E r i j) (w + weight E r i j) && certifies limit u l d w
  | _, _ => false
  end.
Lemma part_above x : x <= part x.
Proof. unfold part. destruct (leb 0 x) eqn:F; [apply le_refl|]. now apply leb_total in F. Qed.
Lemma part_nonneg x : 0 <= part x.
Proof. unfold part. destruct (leb 0 x) eqn:F; [exact F|apply le_refl]. Qed.
Lemma undecided s : forall l u, In u (subsets l) -> s * sum (samples E r i) u - sum (weight E r i) u <= sum (fun j => part (s * samples E r i j - weight E r i j)) l.
Proof.
  induction l as [|j l IH]; intros u H; cbn.
  - destruct H as [<-|[]]. apply le_eq. cbn. ring.
  - apply subsets_cons in H. destruct H as [(v & -> & H)|H]; pose proof (IH _ H) as A.
    + pose proof (part_above (s * samples E r i j - weight E r i j)) as B. cbn [sum]. slack2 A B.
    + pose proof (part_nonneg (s * samples E r i j - weight E r i j)) as B. slack2 A B.
Qed.
Lemma certifies_bound limit t : lines_above t -> forall l, (forall j, In j l -> 0 <= samples E r i j) -> forall d w, 0 < d -> certifies limit t l d w = true ->
  forall u, In u (subsets l) -> law E (gain r i) (size r i) (d + sum (samples E r i) u) - (w + sum (weight E r i) u) <= limit.
Proof.
  induction t as [a s| |t IHt v IHv]; intros A l P d w Hd C u Hu.
  - cbn in C. assert (Pu : 0 <= sum (samples E r i) u) by (apply sum_nonneg; intros j Hj; apply P; now apply (subsets_incl _ _ Hu)).
    pose proof (A _ (add_positive N d _ Hd Pu)) as B. pose proof (undecided s l u Hu) as D. change (a + s * d - w + sum (fun j => part (s * samples E r i j - weight E r i j)) l <= limit) in C. slack3 C B D.
  - destruct l; [|discriminate]. destruct Hu as [<-|[]]. cbn in *. change (law E (gain r i) (size r i) d - w <= limit) in C.
    replace (d + 0) with d by ring. slack1 C.
  - destruct l as [|j l]; [discriminate|]. cbn in C. apply andb_true_iff in C as [C D]. destruct A as [A B].
    assert (Pl : forall k, In k l -> 0 <= samples E r i k) by (intros; apply P; now right).
    apply subsets_cons in Hu. destruct Hu as [(z & -> & Hz)|Hz].
    + pose proof (IHt A l Pl _ _ (add_positive N d _ Hd (P j (or_introl eq_refl))) C z Hz) as Q. cbn [sum].
      replace (d + (samples E r i j + sum (samples E r i) z)) with (d + samples E r i j + sum (samples E r i) z) by ring. slack1 Q.
    + apply (IHv B l Pl d w Hd D u Hz).
Qed.
(** A tree that certifies a limit bounds every set; so a set that reaches the limit is a best one, up to what it lacks of it. *)
Theorem certificate_bounds limit t s : valid_market E -> valid E r -> (i < clients E)%nat -> lines_above t ->
  certifies limit t (others E i) (size r i) 0 = true -> In s (subsets (others E i)) -> objective E r i s <= limit.
Proof.
  intros VM V Hi A C Hs. destruct (V i Hi) as (Hn & _). assert (P : forall j, In j (others E i) -> 0 <= samples E r i j).
  { intros j Hj. apply others_In in Hj. apply samples_nonneg; tauto. }
  pose proof (certifies_bound limit t A _ P _ _ Hn C s Hs) as Q. unfold objective, value, data. slack1 Q.
Qed.
Theorem certificate_gap limit t s : valid_market E -> valid E r -> (i < clients E)%nat -> lines_above t ->
  certifies limit t (others E i) (size r i) 0 = true -> top E r i (others E i) - (limit - objective E r i s) <= objective E r i s.
Proof.
  intros VM V Hi A C. pose proof (certificate_bounds limit t (best E r i (others E i)) VM V Hi A C (best_In _ E r i _)) as B. unfold top. slack1 B.
Qed.
End Certificate.

(** The tangents of K/n - K/x are lines above it. *)
Section Tangent.
Variable N : num.
Add Field field_tangent : (num_field N).
Local Open Scope num_scope.
Theorem hyper_tangent m e d l (r : types N) i y : 0 < y -> 0 <= gain r i -> 0 < size r i ->
  above_law N (Market m (hyper N) e d l) r i (gain r i / size r i - (1 + 1) * gain r i / y) (gain r i / (y * y)).
Proof.
  intros Hy HK Hn x Hx. cbn [law]. unfold hyper. set (K := gain r i) in *. set (n := size r i) in *.
  pose proof (lt_neq _ _ _ Hy). pose proof (lt_neq _ _ _ Hx). pose proof (lt_neq _ _ _ Hn).
  apply diff_le. replace (_ - _) with (K * inv x * ((1 - x / y) * (1 - x / y))) by (field; auto).
  apply mul_nonneg; [apply mul_nonneg; [exact HK|now apply inv_nonneg]|apply square_nonneg].
Qed.
End Tangent.
