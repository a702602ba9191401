(** * A program that checks certificates of clearings, and what its yes implies

    The law is K/n - K/x, so that all of it is in the field: a leaf of a tree holds the point z of its tangent, none for the
    level that no data exceed.  [compare.py] runs this program on what the code certifies. *)
From Coq Require Import List Arith Bool Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Laws market.Clearing.
Import ListNotations.

Section Checker.
Variable N : num.
Add Field field_checker : (num_field N).
Local Open Scope num_scope.

Inductive shape := End (z : option N) | Split (seller : nat) (with_it without_it : shape).
(** K/n - K/x <= K/n - 2K/z + (K/z^2) x, since K (x - z)^2 / (x z^2) >= 0. *)
Fixpoint tangents (K n : N) (t : shape) : tree N := match t with
  | End None => Leaf (K / n) 0 | End (Some z) => Leaf (K / n - (K / z + K / z)) (K / (z * z))
  | Split j t u => Ask j (tangents K n t) (tangents K n u) end.
Fixpoint points (t : shape) : bool := match t with
  | End None => true | End (Some z) => negb (leb z 0) | Split _ t u => points t && points u end.
Lemma tangent_above (K n z x : N) : 0 <= K -> 0 < n -> 0 < z -> 0 < x -> K / n - K / x <= K / n - (K / z + K / z) + K / (z * z) * x.
Proof.
  intros HK Hn Hz Hx. pose proof (lt_neq _ _ _ Hn). pose proof (lt_neq _ _ _ Hz). pose proof (lt_neq _ _ _ Hx). apply diff_le.
  replace (_ - _) with (K * ((x - z) * (x - z)) * (inv x * (inv z * inv z))) by (field; auto).
  apply mul_nonneg; [apply mul_nonneg; [assumption|apply square_nonneg]|repeat apply mul_nonneg; now apply inv_nonneg].
Qed.
Lemma tangents_lines (K n : N) t : 0 <= K -> 0 < n -> points t = true -> lines N (hyper N K n) (tangents K n t).
Proof.
  intros HK Hn. induction t as [[z|]|j t IHt u IHu]; cbn; intro P.
  - apply negb_true_iff in P. split; [|intros x Hx; now apply tangent_above]. pose proof (lt_neq _ _ _ P).
    replace (K / (z * z)) with (K * (inv z * inv z)) by (field; auto). repeat apply mul_nonneg; auto using inv_nonneg.
  - split; [apply le_refl|]. intros x Hx. unfold hyper. pose proof (lt_neq _ _ _ Hx). apply diff_le.
    replace (_ - _) with (K * inv x) by (field; auto using lt_neq). apply mul_nonneg; auto using inv_nonneg.
  - apply andb_true_iff in P as [P Q]. split; auto.
Qed.

Variables (m : nat) (e : (nat -> N) -> nat -> nat -> N) (d : nat -> nat -> N) (l : N).
Let E := Market m (hyper N) e d l.
Variables (r : types N) (i : nat).
Definition chosen (s : list nat) (among : list nat) : list nat := filter (fun j => mem j s) among.
(** The tree bounds every set of the sellers [among] by eps more than s. *)
Definition bounds (eps : N) (t : shape) (among s : list nat) : bool :=
  points t && bounded N (size r i) (samples E r i) (weight E r i) among (objective E r i (chosen s among) + eps) (tangents (gain r i) (size r i) t) [] [].
(** Of importer i: s is bought; for every j of it a price, a set and a tree of the sellers without j. *)
Definition checked (eps : N) (t : shape) (s : list nat) (priced : list (nat * (N * (list nat * shape)))) : bool :=
  bounds eps t (others E i) s && forallb (fun c => match c with (j, (p, (s', u))) =>
    let rest := without j (others E i) in let own := objective E r i (chosen s (others E i)) in let other := objective E r i (chosen s' rest) in
    bounds eps u rest s' && leb (p - (cost r j + own - (other + eps))) (eps + eps) && leb (cost r j + (own + eps) - other - p) (eps + eps) end) priced.
Hypotheses (sound : valid_market E) (numbers : valid E r) (here : (i < m)%nat).
Lemma chosen_subset s among : In (chosen s among) (subsets among).
Proof. apply subsets_filter_sub with (fun j => mem j s). apply subsets_filter. induction among as [|a t IH]; [now left|]. apply subsets_cons. left. eauto. Qed.
Theorem checked_clearing eps t s priced : checked eps t s priced = true ->
  (objective E r i (chosen s (others E i)) <= top E r i (others E i) /\ top E r i (others E i) <= objective E r i (chosen s (others E i)) + eps) /\
  forall j p s' u, In (j, (p, (s', u))) priced ->
    p - (cost r j + top E r i (others E i) - top E r i (without j (others E i))) <= eps + eps /\
    (cost r j + top E r i (others E i) - top E r i (without j (others E i))) - p <= eps + eps.
Proof.
  unfold checked. intro C. apply andb_true_iff in C as [B C]. destruct (numbers i here) as (Hn & _ & HK).
  assert (T : forall among t s, bounds eps t among s = true ->
    certified N E r i (objective E r i (chosen s among) + eps) (tangents (gain r i) (size r i) t) among).
  { intros among t' s' H. apply andb_true_iff in H as [P H]. split; [|exact H]. now apply tangents_lines. }
  assert (R : rising E).
  { intros K n x b HK' Hn' Hx Hb. cbn. unfold hyper. assert (Hxb : 0 < x + b) by now apply add_positive.
    pose proof (lt_neq _ _ _ Hn'). pose proof (lt_neq _ _ _ Hx). pose proof (lt_neq _ _ _ Hxb). apply diff_le.
    replace (_ - _) with (K * b * (inv x * inv (x + b))) by (field; auto). repeat apply mul_nonneg; auto using inv_nonneg. }
  split.
  - apply (clearing_optimal N E r i sound numbers here R _ _ _ (T _ _ _ B)), chosen_subset.
  - intros j p s' u H. rewrite forallb_forall in C. specialize (C _ H). cbn in C. apply andb_true_iff in C as [C High].
    apply andb_true_iff in C as [D Low].
    exact (clearing_priced N E r i sound numbers here R _ _ _ _ _ _ j p eps (T _ _ _ B) (T _ _ _ D) (chosen_subset _ _) (chosen_subset _ _) Low High).
Qed.
End Checker.
Arguments End {_}. Arguments Split {_}.
