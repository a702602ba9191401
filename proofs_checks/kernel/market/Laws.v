(** Concave laws have falling increments; the laws of the catalogue over every ordered field. *)
From Coq Require Import List Bool Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market.
Section Laws.
Variable N : num.
Add Field field_laws : (num_field N).
Local Open Scope num_scope.
(** concave on x > 0, by chords *)
Definition concave (f : N -> N) : Prop := forall x y z : N, 0 < x -> x <= y -> y <= z ->
  (z - y) * f x + (y - x) * f z <= (z - x) * f y.
Lemma lt_add (x a : N) : 0 < x -> 0 <= a -> 0 < x + a.
Proof. intros H Ha. apply (lt_le_trans _ _ x); [assumption|]. apply diff_le. now replace (x + a - x) with a by ring. Qed.
Theorem concave_falling f : concave f -> forall x a d : N, 0 < x -> 0 <= a -> 0 <= d ->
  f (x + a + d) - f (x + a) <= f (x + d) - f x.
Proof.
  intros C x a d Hx Ha Hd. destruct (le_or_lt N (a + d) 0) as [H|H].
  - assert (a = 0) as ->.
    { apply (le_anti N); [|assumption]. apply (le_trans _ _ (a + d)); [|assumption]. apply diff_le. now replace (a + d - a) with d by ring. }
    replace (x + 0) with x by ring. apply le_refl.
  - assert (A := C x (x + a) (x + a + d) Hx). assert (D := C x (x + d) (x + a + d) Hx).
    assert (x <= x + a) as Q1 by (apply diff_le; now replace (x + a - x) with a by ring).
    assert (x + a <= x + a + d) as Q2 by (apply diff_le; now replace (x + a + d - (x + a)) with d by ring).
    assert (x <= x + d) as Q3 by (apply diff_le; now replace (x + d - x) with d by ring).
    assert (x + d <= x + a + d) as Q4 by (apply diff_le; now replace (x + a + d - (x + d)) with a by ring).
    specialize (A Q1 Q2). specialize (D Q3 Q4). apply (le_div N (a + d)); [assumption|].
    refine (lin2 _ _ _ _ _ _ _ A D _). ring.
Qed.
(** K times any concave table or curve, from one's own data on *)
Definition scaled (f : N -> N) (K n x : N) : N := K * (f x - f n).
Theorem scaled_falling m e d l f : concave f -> falling (Market m (scaled f) e d l).
Proof.
  intros C K n x a b HK Hn Hx Ha Hb. cbn. unfold scaled.
  pose proof (le_mul _ _ _ _ HK (concave_falling f C x a b Hx Ha Hb)) as H. refine (lin1 _ _ _ _ _ H _). ring.
Qed.
Theorem scaled_starts m e d l f : starts_at_zero (Market m (scaled f) e d l).
Proof. intros K n _ _. cbn. unfold scaled. ring. Qed.
(** the law with exponent 1: K/n - K/x *)
Definition hyper (K n x : N) : N := K / n - K / x.
Lemma hyper_starts m e d l : starts_at_zero (Market m hyper e d l).
Proof. intros K n _ Hn. cbn. unfold hyper. apply lt_neq in Hn. now field. Qed.
Lemma hyper_falling m e d l : falling (Market m hyper e d l).
Proof.
  intros K n x a b HK Hn Hx Ha Hb. cbn. unfold hyper.
  assert (H1 : 0 < x + a) by now apply lt_add. assert (H2 : 0 < x + b) by now apply lt_add.
  assert (H3 : 0 < x + a + b) by now apply lt_add.
  pose proof (lt_neq _ _ _ Hn). pose proof (lt_neq _ _ _ Hx). pose proof (lt_neq _ _ _ H1).
  pose proof (lt_neq _ _ _ H2). pose proof (lt_neq _ _ _ H3).
  apply diff_le.
  replace (_ - _) with (K * (a * b * (x + x + a + b)) * (inv x * inv (x + a) * inv (x + b) * inv (x + a + b))) by (field; auto).
  assert (0 <= x) by now apply lt_le.
  repeat apply mul_nonneg; auto using inv_nonneg. repeat apply add_nonneg; auto.
Qed.
End Laws.
