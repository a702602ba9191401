(** * Markets, mechanisms, utilities, and what is claimed of a mechanism

    The notation of the theory: importer i, sellers j, K_i the gain parameter, n_i the size, c_j the cost,
    e_ij the samples that j's model is worth to i, pen_ij = lambda d_ij e_ij / n_i, w_ij = c_j + pen_ij,
    V_i(S) = G_i(S) - sum of w_ij over S, W_i(T) = the largest V_i(S) with S within T, U_i the utility. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets.
Import ListNotations.

Section Market.
Variable N : num.
Local Open Scope num_scope.

(** What is public: how many clients there are, the gain law (parameter K, own data n, total data x), what sizes are
    credited to a pair, the differences of the models, and the weight lambda of the penalty. *)
Record market := Market {
  clients : nat; law : N -> N -> N -> N; credit : (nat -> N) -> nat -> nat -> N; differ : nat -> nat -> N; lam : N }.
(** The plain market credits the size that j reports, e_ij = n_j; with effective data e_ij was measured. *)
Definition plain (n : nat -> N) (i j : nat) : N := n j.
Definition effective (e : nat -> nat -> N) (n : nat -> N) (i j : nat) : N := e i j.

(** What clients are, or say that they are: a report and a type have one shape. *)
Record types := Types { size : nat -> N; cost : nat -> N; gain : nat -> N }.
Definition put (f : nat -> N) (i : nat) (b : N) : nat -> N := fun k => if Nat.eqb k i then b else f k.
Definition set_cost (r : types) i b := Types (size r) (put (cost r) i b) (gain r).
Definition set_gain (r : types) i b := Types (size r) (cost r) (put (gain r) i b).
Definition set_size (r : types) i b := Types (put (size r) i b) (cost r) (gain r).
(** i says cost c, gain k and size n. *)
Definition say (r : types) i c k n := set_size (set_gain (set_cost r i c) i k) i n.

(** A mechanism reads imports and gross prices off the reports. *)
Record mechanism := Mechanism { buys : types -> nat -> list nat; price : types -> nat -> nat -> N }.

Variable E : market.
Definition others (i : nat) : list nat := without i (seq 0 (clients E)).
Definition samples (r : types) (i j : nat) : N := credit E (size r) i j.
Definition data (r : types) (i : nat) (s : list nat) : N := size r i + sum (samples r i) s.
Definition value (r : types) (i : nat) (s : list nat) : N := law E (gain r i) (size r i) (data r i s).
Definition pen (r : types) (i j : nat) : N := lam E * differ E i j * samples r i j / size r i.
Definition weight (r : types) (i j : nat) : N := cost r j + pen r i j.
Definition objective (r : types) (i : nat) (s : list nat) : N := value r i s - sum (weight r i) s.
Definition best (r : types) (i : nat) (t : list nat) : list nat := argmax (objective r i) [] (subsets t).
Definition top (r : types) (i : nat) (t : list nat) : N := objective r i (best r i t).
Definition marginal (r : types) (i : nat) (s : list nat) (j : nat) : N := value r i s - value r i (without j s).

(** Utilities: theta are the true types, r what was reported; gains and costs are true, choice and prices see r only.
    Nobody pays a penalty. *)
Definition bought (M : mechanism) (th r : types) (i : nat) : N := value th i (buys M r i) - sum (price M r i) (buys M r i).
Definition sold (M : mechanism) (th r : types) (i : nat) : N :=
  sum (fun k => if mem i (buys M r k) then price M r k i - cost th i else 0) (others i).
Definition utility (M : mechanism) (th r : types) (i : nat) : N := bought M th r i + sold M th r i.
Definition paid (M : mechanism) (r : types) (i : nat) : N := sum (price M r i) (buys M r i).
Definition received (M : mechanism) (r : types) (i : nat) : N :=
  sum (fun k => if mem i (buys M r k) then price M r k i else 0) (others i).

(** ** Premises *)
Definition valid (r : types) : Prop := forall i, (i < clients E)%nat -> 0 < size r i /\ 0 <= cost r i /\ 0 <= gain r i.
Definition valid_market : Prop := 0 <= lam E /\ (forall i j, 0 <= differ E i j) /\
  forall n, (forall k, (k < clients E)%nat -> 0 < n k) -> forall i j, (i < clients E)%nat -> (j < clients E)%nat -> 0 <= credit E n i j.
(** The data that i may buy are as reported: what the gain law sees is what was cleared on. *)
Definition as_reported (th r : types) (i : nat) : Prop := size r i = size th i /\ forall j, samples r i j = samples th i j.
(** e_ij does not move with any report. *)
Definition measured : Prop := forall n n' i j, credit E n i j = credit E n' i j.
(** What importer i's problem reads of the reports: its own size and gain, and the others' costs and samples. *)
Definition same_view (r r' : types) (i : nat) : Prop := size r i = size r' i /\ gain r i = gain r' i /\
  forall j, In j (others i) -> cost r j = cost r' j /\ samples r i j = samples r' i j.
(** Increments of the law do not grow: what a concave law has ([concave_falling] in [Laws]). *)
Definition falling : Prop := forall K n x a d, 0 <= K -> 0 < n -> 0 < x -> 0 <= a -> 0 <= d ->
  law E K n (x + a + d) - law E K n (x + a) <= law E K n (x + d) - law E K n x.
Definition starts_at_zero : Prop := forall K n, 0 <= K -> 0 < n -> law E K n n = 0.
Definition rising : Prop := forall K n x d, 0 <= K -> 0 < n -> 0 < x -> 0 <= d -> law E K n x <= law E K n (x + d).

(** ** Properties

    Stronger than the catalogue's words where they can be: under [dsic_cost] everything else may be a lie, i's own other
    numbers included; under [dsic_gain] all costs may be. *)
Definition dsic_cost (M : mechanism) : Prop := forall th r i b, (i < clients E)%nat ->
  utility M th (set_cost r i b) i <= utility M th (set_cost r i (cost th i)) i.
Definition dsic_gain (M : mechanism) : Prop := forall th r i b, (i < clients E)%nat -> as_reported th r i ->
  utility M th (set_gain r i b) i <= utility M th (set_gain r i (gain th i)) i.
Definition dsic_cost_gain (M : mechanism) : Prop := forall th r i c k, (i < clients E)%nat -> as_reported th r i ->
  utility M th (set_gain (set_cost r i c) i k) i <= utility M th (set_gain (set_cost r i (cost th i)) i (gain th i)) i.
Definition dsic_size (M : mechanism) : Prop := forall th r i n, (i < clients E)%nat ->
  utility M th (say r i (cost th i) (gain th i) n) i <= utility M th (say r i (cost th i) (gain th i) (size th i)) i.
(** Cost, gain and size at once, whatever the others say. *)
Definition dsic (M : mechanism) : Prop := forall th r i c k n, (i < clients E)%nat ->
  utility M th (say r i c k n) i <= utility M th (say r i (cost th i) (gain th i) (size th i)) i.
(** A lie about a cost gains at most so much. *)
Definition cost_regret (M : mechanism) (eps : nat -> N) : Prop := forall th r i b, (i < clients E)%nat ->
  utility M th (set_cost r i b) i <= utility M th (set_cost r i (cost th i)) i + eps i.

Definition ir_seller (M : mechanism) : Prop := forall th r i, valid_market -> valid r -> (i < clients E)%nat ->
  cost r i = cost th i -> 0 <= sold M th r i.
Definition ir_buyer (M : mechanism) : Prop := forall th r i, valid_market -> valid r -> (i < clients E)%nat ->
  as_reported th r i -> gain r i = gain th i -> 0 <= bought M th r i.
Definition ir (M : mechanism) : Prop := forall th r i, valid_market -> valid r -> (i < clients E)%nat ->
  as_reported th r i -> gain r i = gain th i -> cost r i = cost th i -> 0 <= utility M th r i.
Definition balanced (M : mechanism) : Prop := forall r,
  sum (fun i => received M r i - paid M r i) (seq 0 (clients E)) = 0.
Definition feasible (a : nat -> list nat) : Prop := forall i, (i < clients E)%nat -> NoDup (a i) /\ incl (a i) (others i).
(** In V_lambda at the reported types. *)
Definition efficient (M : mechanism) : Prop := forall r a, (forall i, (i < clients E)%nat -> In (a i) (subsets (others i))) ->
  sum (fun i => objective r i (a i)) (seq 0 (clients E)) <= sum (fun i => objective r i (buys M r i)) (seq 0 (clients E)).
(** A seller that asks more sells no more; exact ties, which a rule may break as it likes, do not arise between the two. *)
Definition monotone (M : mechanism) : Prop := forall r i k b, (i < clients E)%nat -> (k < clients E)%nat -> cost r i < b ->
  In i (buys M (set_cost r i b) k) -> In i (buys M r k).
End Market.

Arguments Market {_}. Arguments clients {_}. Arguments law {_}. Arguments credit {_}. Arguments differ {_}. Arguments lam {_}.
Arguments plain {_}. Arguments effective {_}.
Arguments Types {_}. Arguments size {_}. Arguments cost {_}. Arguments gain {_}.
Arguments put {_}. Arguments set_cost {_}. Arguments set_gain {_}. Arguments set_size {_}. Arguments say {_}.
Arguments Mechanism {_}. Arguments buys {_}. Arguments price {_}.
Arguments others {_}. Arguments samples {_}. Arguments data {_}. Arguments value {_}. Arguments pen {_}. Arguments weight {_}.
Arguments objective {_}. Arguments best {_}. Arguments top {_}. Arguments marginal {_}. Arguments bought {_}. Arguments sold {_}.
Arguments utility {_}. Arguments paid {_}. Arguments received {_}.
Arguments valid {_}. Arguments valid_market {_}. Arguments as_reported {_}. Arguments measured {_}. Arguments same_view {_}.
Arguments falling {_}. Arguments starts_at_zero {_}. Arguments rising {_}.
Arguments dsic_cost {_}. Arguments dsic_gain {_}. Arguments dsic_cost_gain {_}. Arguments dsic_size {_}. Arguments dsic {_}.
Arguments cost_regret {_}. Arguments ir_seller {_}. Arguments ir_buyer {_}. Arguments ir {_}. Arguments balanced {_}.
Arguments feasible {_}. Arguments efficient {_}. Arguments monotone {_}.
