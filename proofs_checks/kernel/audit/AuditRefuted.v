(** * Audit: what is refuted, restated in full *)
From Coq Require Import Reals QArith Qcanon List.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market market.SqrtLaw market.Exact market.Marginal market.Threshold.
From MarketKernel Require Import market.Posted market.TwoSided market.NoPayment market.ThresholdExists refuted.Roots refuted.IpflCost refuted.Pair refuted.PairIpfl refuted.Three refuted.PairShapley market.Shapley auctions.BilateralTrade market.Pooled.
From MarketKernel Require Import base.Rationals refuted.Coalitions refuted.Together.
Import ListNotations.
Local Open Scope num_scope.

Goal free = fun m => sqrt_market m (fun n i j => n j) (fun _ _ => 0%R) 0%R.
Proof. reflexivity. Qed.
Goal rlaw = fun K n x => (sqrt (K / n) - sqrt (K / x))%R.
Proof. reflexivity. Qed.

(** [ipfl] [not dsic-cost] Understating a cost can pay: truth leaves 0, a lie 1.9, however thresholds are found. *)
Theorem ipfl_cost_refuted : forall x ord, threshold_rule reals (free 3) x ord -> ~ dsic_cost (free 3) (ipfl reals (free 3) x ord).
Proof. exact ipfl_not_dsic_cost. Qed.
(** [ipfl] [not dsic-gain] A buyer that says K = 900 in place of 3600 keeps 1.5 in place of 0. *)
Theorem ipfl_gain_refuted : forall x ord, threshold_rule reals (free 2) x ord -> ~ dsic_gain (free 2) (ipfl reals (free 2) x ord).
Proof. exact ipfl_not_dsic_gain. Qed.
(** [ipfl] [not dsic-size] A seller that says 800 samples in place of 300 earns 3 in place of 2. *)
Theorem ipfl_size_refuted : forall x ord, threshold_rule reals (free 2) x ord -> ~ dsic_size (free 2) (ipfl reals (free 2) x ord).
Proof. exact ipfl_not_dsic_size. Qed.
(** [ipfl] [not efficiency] A seller of 10000 at cost 7 heads the list, fails and ends the search: 0 in place of 2. *)
Theorem ipfl_best_refuted : forall x ord, threshold_rule reals (free 3) x ord -> ~ efficient (free 3) (ipfl reals (free 3) x ord).
Proof. exact ipfl_not_efficient. Qed.
(** [ipfl] [exists] The rule that is refuted exists. *)
Theorem ipfl_refuted_exists : forall m, exists x ord, threshold_rule reals (free m) x ord.
Proof. intro m. eexists. eexists. apply (reference_rule_exists m). Qed.
(** [exact-marginal] [not dsic-cost] Understating a cost can pay: truth leaves 0, a lie 1.9. *)
Theorem exact_marginal_cost_refuted : forall sel, exact_rule reals (free 3) sel -> ~ dsic_cost (free 3) (exact_marginal reals (free 3) sel).
Proof. exact exact_marginal_not_dsic_cost. Qed.
(** [exact-marginal] [not dsic-gain] A buyer that says K = 900 in place of 3600 keeps 1.5 in place of 0. *)
Theorem exact_marginal_gain_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_gain (free 2) (exact_marginal reals (free 2) sel).
Proof. exact exact_marginal_not_dsic_gain. Qed.
(** [exact-marginal] [not dsic-size] A seller that says 800 samples in place of 300 earns 3 in place of 2. *)
Theorem exact_marginal_size_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_size (free 2) (exact_marginal reals (free 2) sel).
Proof. exact exact_marginal_not_dsic_size. Qed.
(** [ipfl-exact] [not dsic-gain] A buyer that says K = 900 in place of 3600 keeps 1.5 in place of 0. *)
Theorem ipfl_exact_gain_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_gain (free 2) (ipfl_exact reals (free 2) sel).
Proof. exact ipfl_exact_not_dsic_gain. Qed.
(** [ipfl-exact] [not dsic-size] On plain data a seller that says 800 samples in place of 300 earns 3 in place of 2. *)
Theorem ipfl_exact_size_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_size (free 2) (ipfl_exact reals (free 2) sel).
Proof. exact ipfl_exact_not_dsic_size. Qed.
Goal earned = fun sellers sel j => earns rationals (one_buyer sellers) sel (of_sellers sellers) 0 j (cost (of_sellers sellers) j) (cost (of_sellers sellers) j).
Proof. reflexivity. Qed.
(** [ipfl-exact] [not split-proof] At the law K/n - K/x, K = 5, n = 1: a seller of 2 earns 19/12, in halves, each at the whole cost, 5/3. *)
Theorem ipfl_exact_split_refuted : forall sel sel',
  exact_rule rationals (one_buyer [(ratio 2 1, ratio 0 1); (ratio 3 1, ratio 2 1)]) sel ->
  exact_rule rationals (one_buyer [(ratio 1 1, ratio 0 1); (ratio 1 1, ratio 0 1); (ratio 3 1, ratio 2 1)]) sel' ->
  earned whole sel 1 = ratio 19 12 /\ Qcplus (earned halves sel' 1) (earned halves sel' 2) = ratio 5 3.
Proof. exact ipfl_exact_not_split_proof. Qed.
(** [ipfl-exact] [not merge-proof] Sellers of 2 and 3 earn 19/12, as one at the sum of their costs 13/6. *)
Theorem ipfl_exact_merge_refuted : forall sel sel',
  exact_rule rationals (one_buyer [(ratio 2 1, ratio 0 1); (ratio 3 1, ratio 2 1); (ratio 4 1, ratio 11 2)]) sel ->
  exact_rule rationals (one_buyer [(ratio 5 1, ratio 2 1); (ratio 4 1, ratio 11 2)]) sel' ->
  Qcplus (earned apart sel 1) (earned apart sel 2) = ratio 19 12 /\ earned together sel' 1 = ratio 13 6.
Proof. exact ipfl_exact_not_merge_proof. Qed.
(** [ipfl-exact] [not core] A buyer and a seller have 45/14 together; alone they would have 27/8. *)
Theorem ipfl_exact_core_refuted : forall sel, exact_rule rationals (one_buyer [(ratio 7 1, ratio 1 1); (ratio 4 1, ratio 0 1); (ratio 2 1, ratio 0 1)]) sel ->
  top (one_buyer three) (of_sellers three) 0 (others (one_buyer three) 0) - Qcplus (earned three sel 2) (earned three sel 3) = ratio 45 14 /\
  top (one_buyer three) (of_sellers three) 0 [1%nat] = ratio 27 8.
Proof. exact ipfl_exact_not_in_core. Qed.
Goal group_dsic = fun (N : num) (E : market N) M => forall th r r' s,
  (forall j, ~ In j s -> cost r j = cost r' j /\ gain r j = gain r' j /\ size r j = size r' j) ->
  (forall j, In j s -> cost r j = cost th j /\ gain r j = gain th j /\ size r j = size th j) ->
  ~ ((forall i, In i s -> (i < clients E)%nat /\ utility E M th r i <= utility E M th r' i) /\ exists i, In i s /\ utility E M th r i < utility E M th r' i).
Proof. reflexivity. Qed.
(** [every-market-mechanism] [dsic] A group of one is a client: what is truthful for groups is truthful. *)
Theorem group_is_client : forall (N : num) (E : market N) M, group_dsic N E M -> dsic E M.
Proof. exact group_of_one. Qed.
(** [ipfl-exact] [not group-dsic] At the law K/n - K/x, K = 5, n = 1, sellers of 4 at costs 1 and 2: the second, which sells nothing, says 3, and the first earns 2 in place of 1. *)
Theorem ipfl_exact_group_refuted : forall sel, exact_rule rationals (two true) sel -> ~ group_dsic rationals (two true) (ipfl_exact rationals (two true) sel).
Proof. exact ipfl_exact_not_group_dsic. Qed.
(** [ipfl-exact] [not non-bossiness] The same report changes nothing for the second seller and the price of the first. *)
Theorem ipfl_exact_bossy_refuted : forall sel, exact_rule rationals (two true) sel -> ~ non_bossy rationals (two true) (ipfl_exact rationals (two true) sel).
Proof. exact ipfl_exact_bossy. Qed.
(** [pooled-price-effective] [not group-dsic] The same sellers, a pool of one: the second sets the price; saying 3 in place of 2 it adds 1 to what the first earns. *)
Theorem pooled_group_refuted : forall sel, pooled_rule rationals (two false) (fun _ => 1%nat) sel ->
  ~ group_dsic rationals (two false) (pooled rationals (two false) (fun _ => 1%nat) sel).
Proof. exact pooled_not_group_dsic. Qed.
(** [pooled-price-effective] [not non-bossiness] And it changes nothing for itself. *)
Theorem pooled_bossy_refuted : forall sel, pooled_rule rationals (two false) (fun _ => 1%nat) sel ->
  ~ non_bossy rationals (two false) (pooled rationals (two false) (fun _ => 1%nat) sel).
Proof. exact pooled_bossy. Qed.
(** [shapley-split] [not dsic-cost] A seller that asks 2 in place of 1 earns 1/2 more. *)
Theorem shapley_cost_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_cost (free 2) (shapley_split reals (free 2) sel (both_orders sel)).
Proof. exact shapley_not_dsic_cost. Qed.
(** [shapley-split] [not dsic-gain] A buyer that says K = 900 in place of 3600 pays 0.75 less. *)
Theorem shapley_gain_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_gain (free 2) (shapley_split reals (free 2) sel (both_orders sel)).
Proof. exact shapley_not_dsic_gain. Qed.
(** [shapley-split] [not dsic-size] A seller that says 800 samples in place of 300 earns 1/2 more. *)
Theorem shapley_size_refuted : forall sel, exact_rule reals (free 2) sel -> ~ dsic_size (free 2) (shapley_split reals (free 2) sel (both_orders sel)).
Proof. exact shapley_not_dsic_size. Qed.
(** [posted-price] [not dsic-size] At price 2, 44 samples are not bought and 300 are: a seller that says 300 earns 1. *)
Theorem posted_size_refuted : forall sel, posted_rule reals (free 2) (fun _ _ _ => 2%R) sel -> ~ dsic_size (free 2) (posted reals (fun _ _ _ => 2%R) sel).
Proof. exact posted_not_dsic_size. Qed.
(** [posted-price] [not efficiency] At price 1/2 nobody sells at cost 1 what would bring 3. *)
Theorem posted_best_refuted : forall sel, posted_rule reals (free 2) (fun _ _ _ => (1/2)%R) sel -> ~ efficient (free 2) (posted reals (fun _ _ _ => (1/2)%R) sel).
Proof. exact posted_not_efficient. Qed.
(** [pooled-price] [not efficiency] A single seller has nobody behind it: there is no pool, and nothing is traded. *)
Theorem pooled_best_refuted : forall sel, pooled_rule reals (free 2) (fun _ => 1%nat) sel -> ~ efficient (free 2) (pooled reals (free 2) (fun _ => 1%nat) sel).
Proof. exact pooled_not_efficient. Qed.
(** [pooled-price] [not dsic-size] On plain data a seller of 44 samples that says 300 is bought and earns 1. *)
Theorem pooled_size_refuted : forall sel, pooled_rule reals (free 3) (fun _ => 1%nat) sel -> ~ dsic_size (free 3) (pooled reals (free 3) (fun _ => 1%nat) sel).
Proof. exact pooled_not_dsic_size. Qed.
(** [vcg-two-sided] [not dsic-size] A seller that says 800 samples in place of 300 earns 3 in place of 2. *)
Theorem two_sided_size_refuted : forall sel, exact_rule reals (free 2) sel -> ~ forall th r i n, (i < 2)%nat ->
  two_utility reals (free 2) sel th (say r i (cost th i) (gain th i) n) i <= two_utility reals (free 2) sel th (say r i (cost th i) (gain th i) (size th i)) i.
Proof. exact two_sided_not_dsic_size. Qed.
(** [vcg-two-sided] [not budget-balance] The centre pays 3 and receives 1. *)
Theorem two_sided_balance_refuted : forall sel, exact_rule reals (free 2) sel -> exists r, centre reals (free 2) sel r < 0.
Proof. intros sel H. eexists. exact (two_sided_not_balanced sel H). Qed.
(** [no-payment] [not ir-seller] A seller with a cost is out of pocket. *)
Theorem no_payment_seller_refuted : ~ ir_seller (free 2) (no_payment reals (free 2)).
Proof. exact no_payment_not_ir_seller. Qed.
(** [no-payment] [not ir] So is a client that sells and wants nothing, as a whole. *)
Theorem no_payment_refuted : ~ ir (free 2) (no_payment reals (free 2)).
Proof. exact no_payment_not_ir. Qed.
(** [no-payment] [not efficiency] The full graph imports what costs more than it brings. *)
Theorem no_payment_best_refuted : ~ efficient (free 2) (no_payment reals (free 2)).
Proof. exact no_payment_not_efficient. Qed.

(** ** Myerson and Satterthwaite on grids *)
Goal efficient_trade_possible = fun values costs => exists pay get,
  ((forall v w, In v values -> In w values -> buyer costs pay v w <= buyer costs pay v v)%Q /\
   (forall c d, In c costs -> In d costs -> seller values get c d <= seller values get c c)%Q) /\
  ((forall v, In v values -> 0 <= buyer costs pay v v)%Q /\ (forall c, In c costs -> 0 <= seller values get c c)%Q) /\
  (qsum (fun v => qsum (get v) costs) values <= qsum (fun v => qsum (pay v) costs) values)%Q.
Proof. reflexivity. Qed.
(** [myerson-satterthwaite] [impossible] Uniform {1, 5} and {0, 4}: efficient trade, Bayesian truth, interim rationality and no deficit on average exclude one another. *)
Theorem trade_15_04 : ~ efficient_trade_possible [1; 5]%Q [0; 4]%Q.
Proof. exact trade_15_04_impossible. Qed.
(** [myerson-satterthwaite] [impossible] Uniform {1, 3, 5} and {0, 2, 4}: the same. *)
Theorem trade_135_024 : ~ efficient_trade_possible [1; 3; 5]%Q [0; 2; 4]%Q.
Proof. exact trade_135_024_impossible. Qed.
(** [myerson-satterthwaite] [possible] Uniform {1, 3} and {0, 2}: Bayesian truth with rationality and balance ex post. *)
Theorem trade_13_02 : exists pay get, bic [1; 3]%Q [0; 2]%Q pay get /\ expost_ir [1; 3]%Q [0; 2]%Q pay get /\ expost_balance [1; 3]%Q [0; 2]%Q pay get.
Proof. exists halfway, halfway. exact trade_13_02_possible. Qed.
(** [myerson-satterthwaite] [impossible] Uniform {1, 3} and {0, 2}: not with dominant strategies. *)
Theorem trade_13_02_dominant : ~ exists pay get, dsic_trade [1; 3]%Q [0; 2]%Q pay get /\ expost_ir [1; 3]%Q [0; 2]%Q pay get /\ expost_balance [1; 3]%Q [0; 2]%Q pay get.
Proof. exact trade_13_02_not_dominant. Qed.
