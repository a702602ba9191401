(** * Myerson's lemma: truthful single-parameter rules, in both directions *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.

Section Curve.
Variable N : num.
Add Field field_myerson : (num_field N).
Local Open Scope num_scope.
(** One agent of value v facing the others' reports: what it gets, x, and pays, p, as functions of its own report, which
    may be anything in the domain D. *)
Variable D : N -> Prop.
Variables x p : N -> N.
Definition truthful : Prop := forall v b, D v -> D b -> v * x b - p b <= v * x v - p v.
Definition monotone_in : Prop := forall y z, D y -> D z -> z <= y -> x z <= x y.
(** [A] is an area under x: between two reports it grows by at least the lower and at most the upper step, as the integral
    of a monotone x does. *)
Definition area (A : N -> N) : Prop := forall y z, D y -> D z -> z <= y -> (y - z) * x z <= A y - A z /\ A y - A z <= (y - z) * x y.

(** A truthful rule gives more to a higher report ... *)
Theorem truthful_monotone : truthful -> monotone_in.
Proof.
  intros T y z Dy Dz H. destruct (le_lt_or_eq N _ _ H) as [L|<-]; [|apply le_refl].
  pose proof (T y z Dy Dz) as A. pose proof (T z y Dz Dy) as B.
  assert (P : 0 < y - z). { destruct (le_or_lt N (y - z) 0) as [F|F]; [|exact F]. exfalso. apply (lt_not_le _ _ _ L). slack1 F. }
  apply (le_div N (y - z)); [exact P|]. slack2 A B.
Qed.
(** ... and prices the difference between the lower and the higher value. *)
Theorem payment_sandwich : truthful -> forall y z, D y -> D z -> z * (x y - x z) <= p y - p z /\ p y - p z <= y * (x y - x z).
Proof. intros T y z Dy Dz. pose proof (T y z Dy Dz) as A. pose proof (T z y Dz Dy) as B. split; [slack1 B|slack1 A]. Qed.
(** Myerson's lemma: truthful exactly when the payment is p(v) = v x(v) - A(v) for an area A under x. *)
Theorem myerson : truthful <-> exists A, area A /\ forall v, D v -> p v = v * x v - A v.
Proof.
  split.
  - intro T. exists (fun v => v * x v - p v). split; [|intros; ring].
    intros y z Dy Dz _. pose proof (T y z Dy Dz) as A. pose proof (T z y Dz Dy) as B. cbv beta. split; [slack1 A|slack1 B].
  - intros (A & HA & HP) v b Dv Db. rewrite (HP v Dv), (HP b Db). destruct (le_or_lt N b v) as [H|H].
    + destruct (HA v b Dv Db H) as [L _]. slack1 L.
    + destruct (HA b v Db Dv (lt_le N _ _ H)) as [_ L]. slack1 L.
Qed.
End Curve.

(** ** Winning or losing: monotone with critical payments *)
Section Threshold.
Variable N : num.
Add Field field_myerson_01 : (num_field N).
Local Open Scope num_scope.
Variable D : N -> Prop.
Variable wins : N -> bool.
Variable pays : N -> N.
(** z is the critical value: who wins bids at least z and pays z, who loses bids at most z and pays nothing. *)
Definition critical_value (z : N) : Prop := forall b, D b -> if wins b then z <= b /\ pays b = z else b <= z /\ pays b = 0.
Definition gets (b : N) : N := if wins b then 1 else 0.
Lemma critical_truthful z : critical_value z -> truthful N D gets pays.
Proof.
  intros C v b Dv Db. pose proof (C v Dv) as Cv. pose proof (C b Db) as Cb. unfold gets.
  destruct (wins v), (wins b); destruct Cv as [Hv ->], Cb as [Hb ->].
  - apply le_refl.
  - slack1 Hv.
  - slack1 Hv.
  - apply le_refl.
Qed.
Lemma critical_ir z : critical_value z -> forall v, D v -> 0 <= v * gets v - pays v.
Proof.
  intros C v Dv. pose proof (C v Dv) as Cv. unfold gets. destruct (wins v); destruct Cv as [Hv ->]; [slack1 Hv|].
  apply le_eq. ring.
Qed.
(** Myerson's lemma for winning and losing: where some report wins and losers pay nothing, to be truthful and to lose
    nobody anything is exactly to have a critical value. *)
Theorem myerson_critical w : D w -> wins w = true -> (forall b, D b -> wins b = false -> pays b = 0) ->
  (truthful N D gets pays /\ (forall v, D v -> 0 <= v * gets v - pays v) <-> exists z, critical_value z).
Proof.
  intros Dw W L. split; [|intros (z & C); split; [now apply critical_truthful with z|now apply critical_ir with z]].
  intros [T R]. exists (pays w). intros b Db. pose proof (T w b Dw Db) as A. pose proof (T b w Db Dw) as B. pose proof (R b Db) as I.
  unfold gets in *. rewrite W in *. destruct (wins b) eqn:F.
  - assert (E : pays b = pays w) by (apply (le_anti N); [slack1 B|slack1 A]). split; [|exact E]. rewrite <- E. slack1 I.
  - rewrite (L b Db F) in *. split; [slack1 B|reflexivity].
Qed.
End Threshold.

(** ** Auctions of many agents *)
Section Auction.
Variable N : num.
Add Field field_auction : (num_field N).
Local Open Scope num_scope.
Record auction := Auction { wins_ : (nat -> N) -> nat -> bool; pays_ : (nat -> N) -> nat -> N }.
Variable A : auction.
Variable agents : list nat.
Definition gain_ (v : N) (b : nat -> N) (i : nat) : N := (if wins_ A b i then v else 0) - pays_ A b i.
(** Values and bids lie in D: all numbers, or all that are not negative. *)
Variable D : N -> Prop.
(** Truth is best whatever the others bid; and a truthful agent loses nothing. *)
Definition auction_dsic : Prop := forall b i v w, In i agents -> D v -> D w -> gain_ v (put b i w) i <= gain_ v (put b i v) i.
Definition auction_ir : Prop := forall b i v, In i agents -> D v -> 0 <= gain_ v (put b i v) i.
(** Against the bids b, agent i faces a critical value that its own bid does not move, or cannot win. *)
Definition faces_critical (b : nat -> N) (i : nat) : Prop :=
  (exists z, forall v, D v -> if wins_ A (put b i v) i then z <= v /\ pays_ A (put b i v) i = z else v <= z /\ pays_ A (put b i v) i = 0)
  \/ (forall v, D v -> wins_ A (put b i v) i = false /\ pays_ A (put b i v) i = 0).
Definition has_critical_values : Prop := forall b i, In i agents -> faces_critical b i.
Lemma faces_dsic b i v w : faces_critical b i -> D v -> D w -> gain_ v (put b i w) i <= gain_ v (put b i v) i.
Proof.
  intros H Dv Dw. unfold gain_. destruct H as [(z & C)|C].
  - pose proof (C v Dv) as Cv. pose proof (C w Dw) as Cw. destruct (wins_ A (put b i v) i), (wins_ A (put b i w) i); destruct Cv as [Hv ->], Cw as [Hw ->].
    + apply le_refl.
    + slack1 Hv.
    + slack1 Hv.
    + apply le_refl.
  - destruct (C v Dv) as [-> ->], (C w Dw) as [-> ->]. apply le_refl.
Qed.
Lemma faces_ir b i v : faces_critical b i -> D v -> 0 <= gain_ v (put b i v) i.
Proof.
  intros H Dv. unfold gain_. destruct H as [(z & C)|C].
  - pose proof (C v Dv) as Cv. destruct (wins_ A (put b i v) i); destruct Cv as [Hv ->]; [slack1 Hv|apply le_eq; ring].
  - destruct (C v Dv) as [-> ->]. apply le_eq. ring.
Qed.
Theorem critical_values_dsic : has_critical_values -> auction_dsic.
Proof. intros H b i v w Hi Dv Dw. apply faces_dsic; auto. Qed.
Theorem critical_values_ir : has_critical_values -> auction_ir.
Proof. intros H b i v Hi Dv. apply faces_ir; auto. Qed.
End Auction.
(** All numbers; all numbers that are not negative. *)
Definition any_number {N : num} (v : N) : Prop := True.
Definition no_debt {N : num} (v : N) : Prop := (0 <= v)%num.
