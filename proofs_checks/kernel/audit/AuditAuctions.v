(** * Audit: what is claimed of auctions, restated in full *)
From Coq Require Import List.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market.
From MarketKernel Require Import auctions.Myerson auctions.Vickrey auctions.Vcg auctions.Median auctions.Knapsack auctions.McAfee.
Import ListNotations.
Local Open Scope num_scope.

Goal truthful = fun (N : num) (D : N -> Prop) x p => forall v b, D v -> D b -> v * x b - p b <= v * x v - p v.
Proof. reflexivity. Qed.
Goal auction_dsic = fun (N : num) (A : auction N) agents (D : N -> Prop) => forall b i v w, In i agents -> D v -> D w ->
  (if wins_ N A (put b i w) i then v else 0) - pays_ N A (put b i w) i <= (if wins_ N A (put b i v) i then v else 0) - pays_ N A (put b i v) i.
Proof. reflexivity. Qed.
Goal vickrey_wins = fun (N : num) agents k reserve b i =>
  (mem i (filter (fun j => Nat.ltb (rank N (fun a => 0 - b a) agents j) k) agents) && leb reserve (b i))%bool.
Proof. reflexivity. Qed.

(** [myerson] [dsic] Truthful exactly when the payment is p(v) = v x(v) - A(v) for an area A under x. *)
Theorem myerson_lemma : forall (N : num) (D : N -> Prop) x p, truthful N D x p <->
  exists A, (forall y z, D y -> D z -> z <= y -> (y - z) * x z <= A y - A z /\ A y - A z <= (y - z) * x y) /\ forall v, D v -> p v = v * x v - A v.
Proof. exact myerson. Qed.
(** [myerson] [monotonicity] A truthful rule gives no less to a higher report. *)
Theorem myerson_monotone : forall (N : num) (D : N -> Prop) x p, truthful N D x p -> forall y z, D y -> D z -> z <= y -> x z <= x y.
Proof. exact truthful_monotone. Qed.
(** [myerson] [critical] Where some report wins and losers pay nothing: truthful and losing nobody anything is exactly to have a critical value. *)
Theorem myerson_winning : forall (N : num) (D : N -> Prop) wins pays w, D w -> wins w = true -> (forall b, D b -> wins b = false -> pays b = 0) ->
  ((forall v b, D v -> D b -> v * (if wins b then 1 else 0) - pays b <= v * (if wins v then 1 else 0) - pays v) /\
   (forall v, D v -> 0 <= v * (if wins v then 1 else 0) - pays v) <->
   exists z, forall b, D b -> if wins b then z <= b /\ pays b = z else b <= z /\ pays b = 0).
Proof. exact myerson_critical. Qed.
(** [vickrey] [dsic] k units to the k highest bids of at least the reserve, at the highest losing bid or the reserve: truthful. *)
Theorem vickrey_truth : forall (N : num) agents, NoDup agents -> forall k, (0 < k)%nat -> forall reserve, auction_dsic N (vickrey N agents k reserve) agents any_number.
Proof. exact vickrey_dsic. Qed.
(** [vickrey] [ir] A truthful bidder loses nothing. *)
Theorem vickrey_rational : forall (N : num) agents, NoDup agents -> forall k, (0 < k)%nat -> forall reserve, auction_ir N (vickrey N agents k reserve) agents any_number.
Proof. exact Vickrey.vickrey_ir. Qed.
(** [vickrey] [feasible] At most k win. *)
Theorem vickrey_sells_k : forall (N : num) agents, NoDup agents -> forall k, (0 < k)%nat -> forall reserve b, (length (filter (vickrey_wins N agents k reserve b) agents) <= k)%nat.
Proof. exact vickrey_units. Qed.
(** [second-price-reserve] [dsic] One unit at the higher of the reserve and the second bid: truthful, and nobody loses. *)
Theorem second_price_truth : forall (N : num) agents, NoDup agents -> forall reserve,
  auction_dsic N (second_price N agents reserve) agents any_number /\ auction_ir N (second_price N agents reserve) agents any_number.
Proof. intros N agents H reserve. split; [apply vickrey_dsic|apply Vickrey.vickrey_ir]; auto. Qed.
(** [posted-price-single] [dsic] One item at a posted price, to the first in turn whose bid exceeds it: truthful, and nobody loses. *)
Theorem in_turn_truth : forall (N : num) agents price, auction_dsic N (in_turn N agents price) agents any_number /\ auction_ir N (in_turn N agents price) agents any_number.
Proof. intros. split; [apply critical_values_dsic|apply critical_values_ir]; apply in_turn_critical. Qed.
Goal optimal = fun (N : num) agents virtual inverse => Auction N (fun b => vickrey_wins N agents 1 0 (scores N virtual b))
  (fun b i => if vickrey_wins N agents 1 0 (scores N virtual b) i then inverse i (highest_losing N agents 1 0 (scores N virtual b)) else 0).
Proof. reflexivity. Qed.
(** [myerson-auction] [dsic] The highest virtual value of at least 0 wins, at the lowest bid that would still win: truthful, and nobody loses. *)
Theorem optimal_truth : forall (N : num) agents, NoDup agents -> forall virtual inverse : nat -> N -> N,
  (forall i v w, v <= w -> inverse i v <= inverse i w) -> (forall i v, inverse i (virtual i v) = v) ->
  auction_dsic N (optimal N agents virtual inverse) agents any_number /\ auction_ir N (optimal N agents virtual inverse) agents any_number.
Proof. intros. split; [apply critical_values_dsic|apply critical_values_ir]; now apply optimal_critical. Qed.
(** [vcg] [dsic] VCG with the Clarke pivot on any finite set of outcomes: truthful. *)
Theorem vcg_truth : forall (N : num) (A : Type) (first : A) rest agents, NoDup agents -> forall u v i w, In i agents ->
  vcg_utility N A first rest agents u v i w <= vcg_utility N A first rest agents u v i u.
Proof. exact vcg_dsic. Qed.
(** [vcg] [ir] A truthful agent loses nothing where its values are not negative. *)
Theorem vcg_rational : forall (N : num) (A : Type) (first : A) rest agents, NoDup agents -> forall u v i, In i agents ->
  (forall a, In a (first :: rest) -> 0 <= u a) -> 0 <= vcg_utility N A first rest agents u v i u.
Proof. exact Vcg.vcg_ir. Qed.
(** [vcg] [weak-budget-balance] The centre never has a deficit. *)
Theorem vcg_weak_balance : forall (N : num) (A : Type) (first : A) rest agents v, 0 <= sum (clarke N A first rest agents v) agents.
Proof. exact vcg_no_deficit. Qed.
(** [vcg] [efficiency] The outcome is the best for the reported values. *)
Theorem vcg_best : forall (N : num) (A : Type) (first : A) rest agents v a, In a (first :: rest) ->
  sum (fun i => v i a) agents <= sum (fun i => v i (chosen N A first rest agents v)) agents.
Proof. exact Vcg.vcg_efficient. Qed.
(** [median-vote] [dsic] The k-th peak of n > k: with single-peaked preferences truthful. *)
Theorem median_truth : forall (N : num) agents, NoDup agents -> forall k, (k < length agents)%nat -> forall f i b (u : N -> N) p,
  (forall x y : N, x <= y -> y <= p -> u x <= u y) /\ (forall x y : N, p <= y -> y <= x -> u x <= u y) ->
  u (median N agents k (put f i b)) <= u (median N agents k (put f i p)).
Proof. exact median_dsic. Qed.
(** [greedy-knapsack] [dsic] Accepted by falling density where it fits, at critical values: truthful in values of at least 0. *)
Theorem knapsack_truth : forall (N : num) agents, NoDup agents -> forall s capacity, (forall j, 0 < s j) ->
  auction_dsic N (knapsack N agents s capacity) agents no_debt.
Proof. exact knapsack_dsic. Qed.
(** [greedy-knapsack] [ir] A truthful agent loses nothing. *)
Theorem knapsack_rational : forall (N : num) agents, NoDup agents -> forall s capacity, (forall j, 0 < s j) ->
  auction_ir N (knapsack N agents s capacity) agents no_debt.
Proof. exact Knapsack.knapsack_ir. Qed.

(** ** McAfee's double auction: bids and asks between low and high; payments of sellers are negative *)
Goal side_price = fun (N : num) own other missing_own missing_other f g =>
  if suits N own other missing_own missing_other f g
  then (key N own missing_own f (could N own other missing_own missing_other f g) - other_key N other missing_other g (could N own other missing_own missing_other f g)) / (1 + 1)
  else key N own missing_own f (pred (could N own other missing_own missing_other f g)).
Proof. reflexivity. Qed.
(** [mcafee] [dsic] Buyers: no bid is better than the value, whatever the others say. *)
Theorem mcafee_buyers_truth : forall (N : num) buyers sellers (low high : N), NoDup buyers -> forall bid ask i v w, In i buyers ->
  (forall j, low <= bid j /\ bid j <= high) -> (forall j, low <= ask j /\ ask j <= high) -> low <= v /\ v <= high -> low <= w /\ w <= high ->
  gain_ N (mcafee_buyers N buyers sellers low high ask) v (put bid i w) i <= gain_ N (mcafee_buyers N buyers sellers low high ask) v (put bid i v) i.
Proof. exact mcafee_buyers_dsic. Qed.
(** [mcafee] [dsic] Sellers: no ask is better than the cost, whatever the others say. *)
Theorem mcafee_sellers_truth : forall (N : num) buyers sellers (low high : N), NoDup sellers -> forall bid ask i c d, In i sellers ->
  (forall j, low <= bid j /\ bid j <= high) -> (forall j, low <= ask j /\ ask j <= high) -> low <= c /\ c <= high -> low <= d /\ d <= high ->
  gain_ N (mcafee_sellers N buyers sellers low high bid) (0 - c) (put (fun j => 0 - ask j) i (0 - d)) i <=
  gain_ N (mcafee_sellers N buyers sellers low high bid) (0 - c) (put (fun j => 0 - ask j) i (0 - c)) i.
Proof. exact mcafee_sellers_dsic. Qed.
(** [mcafee] [dsic] Both sides: no report is better than the truth, whatever the others say. *)
Theorem mcafee_truth : forall (N : num) buyers sellers (low high : N), NoDup buyers -> NoDup sellers -> forall bid ask i v w,
  (forall j, low <= bid j /\ bid j <= high) -> (forall j, low <= ask j /\ ask j <= high) -> low <= v /\ v <= high -> low <= w /\ w <= high ->
  (In i buyers -> gain_ N (mcafee_buyers N buyers sellers low high ask) v (put bid i w) i <= gain_ N (mcafee_buyers N buyers sellers low high ask) v (put bid i v) i) /\
  (In i sellers -> gain_ N (mcafee_sellers N buyers sellers low high bid) (0 - v) (put (fun j => 0 - ask j) i (0 - w)) i <=
    gain_ N (mcafee_sellers N buyers sellers low high bid) (0 - v) (put (fun j => 0 - ask j) i (0 - v)) i).
Proof. intros N buyers sellers low high Db Ds bid ask i v w Hb Ha Hv Hw. split; intro Hi; [now apply mcafee_buyers_truth|now apply mcafee_sellers_truth]. Qed.
(** [mcafee] [ir] A truthful buyer and a truthful seller lose nothing. *)
Theorem mcafee_rational : forall (N : num) buyers sellers (low high : N), NoDup buyers -> NoDup sellers -> forall bid ask i v,
  (forall j, low <= bid j /\ bid j <= high) -> (forall j, low <= ask j /\ ask j <= high) -> low <= v /\ v <= high ->
  (In i buyers -> 0 <= gain_ N (mcafee_buyers N buyers sellers low high ask) v (put bid i v) i) /\
  (In i sellers -> 0 <= gain_ N (mcafee_sellers N buyers sellers low high bid) (0 - v) (put (fun j => 0 - ask j) i (0 - v)) i).
Proof. intros N buyers sellers low high Db Ds bid ask i v Hb Ha Hv. split; intro Hi; [now apply mcafee_buyers_ir|now apply mcafee_sellers_ir]. Qed.
(** [mcafee] [weak-budget-balance] Both sides trade the same number, and a buyer pays at least what a seller receives. *)
Theorem mcafee_balance : forall (N : num) buyers sellers (low high : N) f g,
  number N sellers buyers (0 - high) low g f = number N buyers sellers low (0 - high) f g /\
  ((0 < number N buyers sellers low (0 - high) f g)%nat ->
   0 <= side_price N buyers sellers low (0 - high) f g + side_price N sellers buyers (0 - high) low g f).
Proof. intros. split; [apply mcafee_same_number|apply mcafee_no_deficit]. Qed.
