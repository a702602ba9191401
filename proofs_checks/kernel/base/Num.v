(** * The numbers that markets are written in

    An ordered field with a decided order and Leibniz equality.  Every theorem about a market or an auction is stated
    over an arbitrary one; [Rationals] and [RealNumbers] give the two that are used.  [lra] does not know such a field:
    linear steps go through [slack1] to [slack4], which ask [ring] for one identity. *)
From Coq Require Import Bool Setoid Ring Field.

Record num := Num {
  carrier :> Type;
  zero : carrier; one : carrier;
  add : carrier -> carrier -> carrier; mul : carrier -> carrier -> carrier;
  sub : carrier -> carrier -> carrier; opp : carrier -> carrier;
  div : carrier -> carrier -> carrier; inv : carrier -> carrier;
  leb : carrier -> carrier -> bool;
  num_field : field_theory zero one add mul sub opp div inv (@eq carrier);
  leb_anti : forall x y, leb x y = true -> leb y x = true -> x = y;
  leb_trans : forall x y z, leb x y = true -> leb y z = true -> leb x z = true;
  leb_total : forall x y, leb x y = false -> leb y x = true;
  leb_add : forall x y z, leb x y = true -> leb (add x z) (add y z) = true;
  leb_mul : forall x y, leb zero x = true -> leb zero y = true -> leb zero (mul x y) = true }.

Arguments zero {_}. Arguments one {_}. Arguments add {_}. Arguments mul {_}. Arguments sub {_}.
Arguments opp {_}. Arguments div {_}. Arguments inv {_}. Arguments leb {_}.

Declare Scope num_scope.
Delimit Scope num_scope with num.
Bind Scope num_scope with carrier.
Notation "0" := zero : num_scope.
Notation "1" := one : num_scope.
Infix "+" := add : num_scope.
Infix "*" := mul : num_scope.
Infix "-" := sub : num_scope.
Infix "/" := div : num_scope.
Notation "- x" := (opp x) : num_scope.
Definition le {N : num} (x y : N) : Prop := leb x y = true.
Definition lt {N : num} (x y : N) : Prop := leb y x = false.
Infix "<=" := le : num_scope.
Infix "<" := lt : num_scope.

Section Order.
Variable N : num.
Add Field numf : (num_field N).
Local Open Scope num_scope.
Implicit Types x y z a b c : N.

Lemma le_refl x : x <= x.
Proof. unfold le. destruct (leb x x) eqn:E; [reflexivity|]. now apply leb_total in E as ?; congruence. Qed.
Lemma le_trans x y z : x <= y -> y <= z -> x <= z.
Proof. apply leb_trans. Qed.
Lemma le_anti x y : x <= y -> y <= x -> x = y.
Proof. apply leb_anti. Qed.
Lemma lt_le x y : x < y -> x <= y.
Proof. apply leb_total. Qed.
Lemma le_or_lt x y : x <= y \/ y < x.
Proof. unfold le, lt. destruct (leb x y); auto. Qed.
Lemma lt_not_le x y : x < y -> ~ y <= x.
Proof. unfold lt, le. congruence. Qed.
Lemma le_add x y z : x <= y -> x + z <= y + z.
Proof. apply leb_add. Qed.
Lemma le_diff x y : x <= y -> 0 <= y - x.
Proof. intro H. apply (le_add _ _ (- x)) in H. replace (x + - x) with (@zero N) in H by ring. now replace (y - x) with (y + - x) by ring. Qed.
Lemma diff_le x y : 0 <= y - x -> x <= y.
Proof. intro H. apply (le_add _ _ x) in H. replace (0 + x) with x in H by ring. now replace (y - x + x) with y in H by ring. Qed.
Lemma add_nonneg x y : 0 <= x -> 0 <= y -> 0 <= x + y.
Proof. intros Hx Hy. apply (le_trans _ y); [assumption|]. apply (le_add _ _ y) in Hx. now replace (0 + y) with y in Hx by ring. Qed.
Lemma mul_nonneg x y : 0 <= x -> 0 <= y -> 0 <= x * y.
Proof. apply leb_mul. Qed.
(** Linear steps: the slack of the conclusion is the sum of the slacks of the premises, an identity that [ring] checks. *)
Lemma lin1 a b x y : x <= y -> b - a = y - x -> a <= b.
Proof. intros H E. apply diff_le. rewrite E. now apply le_diff. Qed.
Lemma lin2 a b x y x' y' : x <= y -> x' <= y' -> b - a = (y - x) + (y' - x') -> a <= b.
Proof. intros H H' E. apply diff_le. rewrite E. apply add_nonneg; now apply le_diff. Qed.
Lemma lin3 a b x y x' y' u v : x <= y -> x' <= y' -> u <= v -> b - a = (y - x) + (y' - x') + (v - u) -> a <= b.
Proof. intros H H' H2 E. apply diff_le. rewrite E. repeat apply add_nonneg; now apply le_diff. Qed.
Lemma lin4 a b x y x' y' u v u' v' : x <= y -> x' <= y' -> u <= v -> u' <= v' ->
  b - a = (y - x) + (y' - x') + (v - u) + (v' - u') -> a <= b.
Proof. intros H H' H2 H3 E. apply diff_le. rewrite E. repeat apply add_nonneg; now apply le_diff. Qed.
Lemma le_mul x y z : 0 <= z -> x <= y -> z * x <= z * y.
Proof. intros Hz H. apply diff_le. replace (z * y - z * x) with (z * (y - x)) by ring. apply mul_nonneg; [assumption|now apply le_diff]. Qed.
Lemma square_nonneg x : 0 <= x * x.
Proof.
  destruct (le_or_lt 0 x) as [H|H]; [now apply mul_nonneg|]. apply lt_le, le_diff in H.
  replace (x * x) with ((0 - x) * (0 - x)) by ring. now apply mul_nonneg.
Qed.
Lemma one_nonneg : (@zero N) <= 1.
Proof. replace (@one N) with (@one N * 1) by ring. apply square_nonneg. Qed.
Lemma lt_neq x y : x < y -> y <> x.
Proof. intros H ->. apply lt_not_le in H. apply H, le_refl. Qed.
Lemma inv_nonneg x : 0 < x -> 0 <= inv x.
Proof.
  intro H. pose proof (lt_neq _ _ H) as Hx. replace (inv x) with (x * (inv x * inv x)) by (field; assumption).
  apply mul_nonneg; [now apply lt_le|apply square_nonneg].
Qed.
Lemma le_div z x y : 0 < z -> z * x <= z * y -> x <= y.
Proof.
  intros Hz H. pose proof (lt_neq _ _ Hz) as Hz'. apply (le_mul _ _ (inv z)) in H; [|now apply inv_nonneg].
  replace x with (inv z * (z * x)) by (field; assumption). now replace y with (inv z * (z * y)) by (field; assumption).
Qed.
Lemma lt_le_trans x y z : x < y -> y <= z -> x < z.
Proof. intros H H'. destruct (le_or_lt z x) as [F|F]; [|exact F]. exfalso. apply (lt_not_le _ _ H). now apply (le_trans _ z). Qed.
Lemma le_lt_trans x y z : x <= y -> y < z -> x < z.
Proof. intros H H'. destruct (le_or_lt z x) as [F|F]; [|exact F]. exfalso. apply (lt_not_le _ _ H'). now apply (le_trans _ x). Qed.
Lemma le_lt_or_eq x y : x <= y -> x < y \/ x = y.
Proof. intro H. destruct (le_or_lt y x) as [F|F]; [right; now apply le_anti|now left]. Qed.
Lemma add_positive x y : 0 < x -> 0 <= y -> 0 < x + y.
Proof. intros H Hy. apply (lt_le_trans _ x); [assumption|]. apply diff_le. now replace (x + y - x) with y by ring. Qed.
Lemma le_eq x y : x = y -> x <= y.
Proof. intros ->. apply le_refl. Qed.
Lemma le_max_split x y z : (if leb x y then y else x) <= z -> x <= z /\ y <= z.
Proof.
  destruct (leb x y) eqn:E; intro H; (split; [|assumption]) || (split; [assumption|]).
  - now apply (le_trans _ y).
  - apply (le_trans _ x); [now apply leb_total|assumption].
Qed.
End Order.

Ltac slack1 H := refine (lin1 _ _ _ _ _ H _); ring.
Ltac slack2 H H' := refine (lin2 _ _ _ _ _ _ _ H H' _); ring.
Ltac slack3 H H' H2 := refine (lin3 _ _ _ _ _ _ _ _ _ H H' H2 _); ring.
Ltac slack4 H H' H2 H3 := refine (lin4 _ _ _ _ _ _ _ _ _ _ _ H H' H2 H3 _); ring.
