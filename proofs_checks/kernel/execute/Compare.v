(** * The definitions, run: is the outcome that a program found one of the rule's?

    Rational markets without rounding: gain K/n - K/x, or a concave table; plain or effective data.  The imports must be the
    rule's exactly, ties in the documented order, and a best set of all; prices and utilities agree to a tolerance.  Larger markets
    are held against the program's certificates, by the checker that [market.Checker] proves.  Extracted to OCaml and run on
    thousands of markets by [compare.py]. *)
From Coq Require Import ZArith QArith Qcanon List Bool Arith.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Rank base.Falling base.Rationals market.Market market.Laws.
From MarketKernel Require Import market.Exact market.Marginal market.Offers market.Posted market.Pooled market.Clock market.Threshold market.TwoSided market.Realised market.NoPayment market.Skip market.Shapley market.Checker.
Import ListNotations.
Local Open Scope Qc_scope.

Definition ratio (n : Z) (d : positive) : Qc := Q2Qc (n # d).
Definition at_ (l : list Qc) (i : nat) : Qc := nth i l 0.
Definition cell (l : list (list Qc)) (i j : nat) : Qc := at_ (nth i l []) j.
(** A leaf whose tangent touches at z. *)
Definition touching (z : Qc) : shape rationals := @End rationals (Some z).
(** A market, its reports, and what the program answered. *)
Record vector := Vector {
  v_rule : nat; v_size : list Qc; v_cost : list Qc; v_gain : list Qc; v_differ : list (list Qc); v_lam : Qc;
  v_effective : list (list Qc); (** empty: what the sellers report *)
  v_table : list (Qc * Qc); (** empty: K/n - K/x *)
  v_buys : list (list nat); v_price : list (list Qc); v_utility : list Qc;
  v_threshold : list (list (option Qc)); v_tolerance : Qc }.
Definition v_law (v : vector) : Qc -> Qc -> Qc -> Qc :=
  match v_table v with [] => hyper rationals | (x0, y0) :: t => scaled rationals (table x0 y0 t) end.
Definition v_market (v : vector) : market rationals :=
  @Market rationals (length (v_size v)) (v_law v)
    (match v_effective v with [] => @plain rationals | e => @effective rationals (cell e) end) (cell (v_differ v)) (v_lam v).
Definition v_types (v : vector) : types rationals := @Types rationals (at_ (v_size v)) (at_ (v_cost v)) (at_ (v_gain v)).
Definition near (v : vector) (a b : Qc) : bool := Qcleb (a - b) (v_tolerance v) && Qcleb (b - a) (v_tolerance v).
Definition same (a b : list nat) : bool := if list_eq_dec Nat.eq_dec a b then true else false.
Definition equal (a b : Qc) : bool := Qcleb a b && Qcleb b a.

Section Compare.
Variable v : vector.
Let E := v_market v.
Let r := v_types v.
Let sel (_ : types rationals) (i : nat) : list nat := nth i (v_buys v) [].
Let everybody := seq 0 (clients E).
(** The documented order of ties: sellers by rising price a sample, then falling samples, then place; sets in the order in which a
    search meets them that tries with a seller before without, a set before its larger ones; the first best, if it is better than nothing. *)
Definition visited (w e : nat -> Qc) (a b : nat) : bool := let x := w a * e b in let y := w b * e a in
  if Qcleb x y then if Qcleb y x then if Qcleb (e b) (e a) then if Qcleb (e a) (e b) then a <=? b else true else false else true else false.
Fixpoint met (l : list nat) : list (list nat) := match l with [] => [] | a :: t => [a] :: map (cons a) (met t) ++ met t end.
Definition first_met (i : nat) (f : list nat -> Qc) (w : nat -> Qc) (candidates : list nat) : list nat :=
  let useful := filter (fun j => negb (Qcleb (samples E r i j) 0)) candidates in
  sort nat Nat.leb (@argmax rationals _ f [] (met (sort nat (visited w (samples E r i)) useful))).
(** The best set of [candidates] by [f], which is a best one of all their sets. *)
Definition best_of (i : nat) (f : list nat -> Qc) (w : nat -> Qc) (candidates s : list nat) : bool :=
  same (first_met i f w candidates) s && equal (f s) (f (@argmax rationals _ f [] (subsets candidates))).
Definition prices_are (p : nat -> nat -> Qc) : bool :=
  forallb (fun i => forallb (fun j => if mem j (sel r i) then near v (cell (v_price v) i j) (p i j) else equal (cell (v_price v) i j) 0) everybody) everybody.
Definition utilities_are (u : nat -> Qc) : bool := forallb (fun i => near v (at_ (v_utility v) i) (u i)) everybody.
Definition bilateral (p : types rationals -> nat -> nat -> Qc) : bool :=
  prices_are (p r) && utilities_are (utility E (@Mechanism rationals sel p) r r).
Definition exact_sets : bool := forallb (fun i => best_of i (objective E r i) (weight E r i) (others E i) (sel r i)) everybody.
Definition two_each (_ : nat -> Qc) (_ _ : nat) : Qc := 1.
(** Half of the suppliers: public, for no report moves who they are. *)
Definition half (i : nat) : nat := Nat.max 1 (length (suppliers rationals E r i) / 2).
(** The clock of the catalogue at one price a model: it stops when a buyer with the mean gain and size of those heard would find,
    with half of what is left in hand, the rest worth the price, the least cost of those who have left. *)
Definition one_each (_ : types rationals) (_ _ : nat) : Qc := 1.
Definition number (l : list nat) : Qc := sum (N := rationals) (fun _ => 1) l.
Definition clock_stop (r : types rationals) (i : nat) (s : list nat) : bool :=
  let rest := still rationals E r i s in let voices := heard rationals E r i s in
  let mean (f : nat -> Qc) := sum (N := rationals) f voices / number voices in
  let least := fold_right (fun j c => if Qcleb (cost r j) c then cost r j else c) (cost r (hd O s)) s in
  let x := sum (N := rationals) (samples E r i) rest in let y := mean (size r) + x / (1 + 1) in
  match rest with [] => false | [_] => true | _ => Qcleb (least * number rest) (mean (gain r) / (y * y) * x) end.
Definition clock_price := clock_ask rationals E one_each clock_stop.
Definition clock_surplus := surplus_at rationals E clock_price.
(** ipfl, and the search that goes on, on the program's thresholds.  The left side of the equation of each falls, so that it is within the tolerance of
    the largest root, of its size, where the sign changes around it; none above e_ij where the left side starts below the
    weight; +oo where the weight is 0. *)
Definition threshold (_ : types rationals) (i j : nat) : option Qc := nth j (nth i (v_threshold v) []) None.
Definition in_order (r : types rationals) (i : nat) : list nat := sort nat (before rationals (threshold r i)) (others E i).
Definition step (i j : nat) (y : Qc) : Qc := v_law v (gain r i) (size r i) y - v_law v (gain r i) (size r i) (y - samples E r i j).
Definition solves (i j : nat) : bool := match threshold r i j with
  | None => Qcleb (weight E r i j) 0
  | Some y => let low := y * (1 - v_tolerance v) in let high := y * (1 + v_tolerance v) in let n := samples E r i j in
    Qcleb n y && (Qcleb low n || Qcleb (weight E r i j) (step i j low)) && Qcleb (step i j high) (weight E r i j) end.
Definition found (search : types rationals -> nat -> list nat) : bool := forallb (fun i => forallb (solves i) (others E i)
  && same (sort nat Nat.leb (search r i)) (sel r i)) everybody.
(** All orders of a set. *)
Fixpoint everywhere (a : nat) (o : list nat) : list (list nat) := match o with [] => [[a]] | b :: t => (a :: o) :: map (cons b) (everywhere a t) end.
Definition orders (l : list nat) : list (list nat) := fold_right (fun a => flat_map (everywhere a)) [[]] l.
Definition agrees : bool := match v_rule v with
  | 0%nat => exact_sets && bilateral (critical rationals E)
  | 1%nat => exact_sets && bilateral (contribution rationals E sel)
  | 2%nat => forallb (fun i => best_of i (surplus rationals E two_each r i) (fun _ => 1) (willing rationals E two_each r i) (sel r i)) everybody && bilateral (fun r => two_each (size r))
  | 3%nat => forallb (fun i => best_of i (pool_surplus rationals E half r i) (pool_price rationals E half r i) (offered rationals E half r i) (sel r i)) everybody && bilateral (pool_price rationals E half)
  | 4%nat => exact_sets && utilities_are (two_utility rationals E sel r r)
  | 5%nat => exact_sets && utilities_are (realised_utility rationals E sel r r)
  | 6%nat => exact_sets && bilateral (bilateral_price rationals E sel r)
  | 8%nat => found (taken rationals E threshold in_order) && bilateral (marginal_price rationals E threshold in_order)
  | 9%nat => exact_sets && bilateral (shapley_price rationals E (fun r i => orders (i :: sel r i)))
  | 10%nat => forallb (fun i => best_of i (clock_surplus r i) (clock_price r i) (staying rationals E one_each clock_stop r i) (sel r i)) everybody && bilateral clock_price
  | 11%nat => found (kept rationals E threshold in_order) && bilateral (kept_price rationals E threshold in_order)
  | _ => forallb (fun i => same (sel r i) (others E i)) everybody && bilateral (price (no_payment rationals E))
  end.
(** A larger market, importer by importer: the gap and trees that the program gave for what was bought, and for each import. *)
Definition certified_by (given : list ((Qc * shape rationals) * list (nat * (list nat * shape rationals)))) : bool :=
  (length given =? clients E) && forallb (fun c => match c with (i, ((eps, t), priced)) =>
    same (map fst priced) (sel r i) && checked rationals (clients E) (credit E) (cell (v_differ v)) (v_lam v) r i eps t (sel r i)
      (map (fun c => (fst c, (cell (v_price v) i (fst c), snd c))) priced) end) (combine everybody given).
End Compare.
