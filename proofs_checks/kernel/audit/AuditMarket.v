(** * Audit: what is claimed of market mechanisms, restated in full

    A theorem here restates a claim with everything that it assumes, so that no name can stay while its statement weakens.
    The header of each says [mechanism] [property] and the claim in words; the check reads the headers, prints the
    assumptions of each theorem, and records all. *)
From Coq Require Import List.
From MarketKernel Require Import base.Num base.Sets base.Rank base.RealNumbers.
From MarketKernel Require Import market.Market market.Facts market.Laws market.SqrtLaw.
From MarketKernel Require Import market.Exact market.Posted market.Pooled market.Threshold market.ThresholdExists refuted.IpflCost.
Import ListNotations.
Local Open Scope num_scope.

(** ** The properties, unfolded: definitions cannot weaken either *)
Section Definitions.
Variables (N : num) (E : market N) (M : mechanism N).
Goal utility E M = fun th r i => (value E th i (buys M r i) - sum (price M r i) (buys M r i))
  + sum (fun k => if mem i (buys M r k) then price M r k i - cost th i else 0) (without i (seq 0 (clients E))).
Proof. reflexivity. Qed.
Goal (fun r i s => value E r i s) = fun r i s => law E (gain r i) (size r i) (size r i + sum (credit E (size r) i) s).
Proof. reflexivity. Qed.
Goal objective E = fun r i s => value E r i s - sum (fun j => cost r j + lam E * differ E i j * credit E (size r) i j / size r i) s.
Proof. reflexivity. Qed.
Goal dsic_cost E M = forall th r i b, (i < clients E)%nat -> utility E M th (set_cost r i b) i <= utility E M th (set_cost r i (cost th i)) i.
Proof. reflexivity. Qed.
Goal dsic_gain E M = forall th r i b, (i < clients E)%nat -> size r i = size th i /\ (forall j, credit E (size r) i j = credit E (size th) i j) ->
  utility E M th (set_gain r i b) i <= utility E M th (set_gain r i (gain th i)) i.
Proof. reflexivity. Qed.
Goal dsic E M = forall th r i c k n, (i < clients E)%nat ->
  utility E M th (set_size (set_gain (set_cost r i c) i k) i n) i <=
  utility E M th (set_size (set_gain (set_cost r i (cost th i)) i (gain th i)) i (size th i)) i.
Proof. reflexivity. Qed.
Goal balanced E M = forall r, sum (fun i => sum (fun k => if mem i (buys M r k) then price M r k i else 0) (others E i)
  - sum (price M r i) (buys M r i)) (seq 0 (clients E)) = 0.
Proof. reflexivity. Qed.
Goal ir E M = forall th r i, valid_market E -> valid E r -> (i < clients E)%nat ->
  size r i = size th i /\ (forall j, credit E (size r) i j = credit E (size th) i j) -> gain r i = gain th i -> cost r i = cost th i ->
  0 <= utility E M th r i.
Proof. reflexivity. Qed.
Goal efficient E M = forall r a, (forall i, (i < clients E)%nat -> In (a i) (subsets (others E i))) ->
  sum (fun i => objective E r i (a i)) (seq 0 (clients E)) <= sum (fun i => objective E r i (buys M r i)) (seq 0 (clients E)).
Proof. reflexivity. Qed.
End Definitions.

(** ** Gain laws *)
(** [gain-law] [falling-increments] The paper's law sqrt(K/n) - sqrt(K/x) starts at zero, rises, and its increments fall. *)
Theorem sqrt_law : forall m e d l, let E := sqrt_market m e d l in starts_at_zero E /\ rising E /\ falling E.
Proof. intros. split; [apply sqrt_starts|split; [apply sqrt_rising|apply sqrt_falling]]. Qed.
(** [gain-law] [falling-increments] Every concave law has falling increments, in every ordered field. *)
Theorem concave_law : forall (N : num) m e d l (f : N -> N), concave N f -> falling (Market m (scaled N f) e d l) /\ starts_at_zero (Market m (scaled N f) e d l).
Proof. intros. split; [now apply scaled_falling|apply scaled_starts]. Qed.

(** [effective-data] [measured] With effective data e_ij no report moves e_ij. *)
Theorem effective_data_measured : forall (N : num) m g (e d : nat -> nat -> N) l, measured (Market m g (effective e) d l).
Proof. exact effective_measured. Qed.

(** ** ipfl-exact *)
(** [ipfl-exact] [exists] There is an exact selection whose ties read the importer's view only. *)
Theorem ipfl_exact_exists : forall (N : num) (E : market N), exact_rule N E (first_best N E).
Proof. exact first_best_exact. Qed.
(** [ipfl-exact] [dsic-cost] Truthful in costs as a dominant strategy: any law, any sizes per pair, whatever else is said. *)
Theorem ipfl_exact_cost : forall (N : num) (E : market N) sel, exact_rule N E sel -> dsic_cost E (ipfl_exact N E sel).
Proof. exact ipfl_exact_dsic_cost. Qed.
(** [ipfl-exact] [ir-seller] Sellers lose nothing: any law. *)
Theorem ipfl_exact_sellers : forall (N : num) (E : market N) sel, exact_rule N E sel -> ir_seller E (ipfl_exact N E sel).
Proof. intros N E sel _. exact (ipfl_exact_ir_seller N E sel). Qed.
(** [ipfl-exact] [ir] Nobody loses where increments of the law fall and data are as reported. *)
Theorem ipfl_exact_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> falling E -> starts_at_zero E -> ir E (ipfl_exact N E sel).
Proof. exact Exact.ipfl_exact_ir. Qed.
(** [ipfl-exact] [budget-balance] What is paid is received. *)
Theorem ipfl_exact_budget : forall (N : num) (E : market N) sel, exact_rule N E sel -> balanced E (ipfl_exact N E sel).
Proof. exact Exact.ipfl_exact_balanced. Qed.
(** [ipfl-exact] [efficiency] Efficient in V_lambda for the reported types. *)
Theorem ipfl_exact_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> efficient E (ipfl_exact N E sel).
Proof. exact Exact.ipfl_exact_efficient. Qed.
(** [ipfl-exact] [dsic-size] On effective data a seller's size report does nothing to what it earns by sales. *)
Theorem ipfl_exact_seller_size : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i n, measured E ->
  sold E (ipfl_exact N E sel) th (set_size r i n) i = sold E (ipfl_exact N E sel) th r i.
Proof. exact ipfl_exact_size_idle. Qed.
(** [ipfl-exact] [worthless] A seller whose model is worth nothing to k, and who asks something, sells nothing to k. *)
Theorem ipfl_exact_worthless : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r k j,
  0 < cost r j -> samples E r k j = 0 -> size r k <> 0 -> ~ In j (sel r k).
Proof. exact worthless_sells_nothing. Qed.

(** ** posted-price *)
(** [posted-price] [exists] There is a rule: the first best set of the willing. *)
Theorem posted_exists : forall (N : num) (E : market N) p, reads_numbers N E p -> posted_rule N E p (post_first N E p).
Proof. exact post_first_rule. Qed.
(** [posted-price] [dsic-cost] Truthful in costs, whatever else is said. *)
Theorem posted_cost : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_cost E (posted N p sel).
Proof. exact posted_dsic_cost. Qed.
(** [posted-price] [dsic-gain] Truthful in gains on data as reported. *)
Theorem posted_gain : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_gain E (posted N p sel).
Proof. exact posted_dsic_gain. Qed.
(** [posted-price] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem posted_cost_gain : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_cost_gain E (posted N p sel).
Proof. exact posted_dsic_cost_gain. Qed.
(** [posted-price] [ir] Nobody loses: any law that starts at zero. *)
Theorem posted_rational : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> starts_at_zero E -> ir E (posted N p sel).
Proof. exact posted_ir. Qed.
(** [posted-price] [budget-balance] What is paid is received. *)
Theorem posted_budget : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> balanced E (posted N p sel).
Proof. exact Posted.posted_balanced. Qed.

(** ** pooled-price *)
(** [pooled-price] [exists] There is a rule: the first best set of the pool. *)
Theorem pooled_exists : forall (N : num) (E : market N) width, pooled_rule N E width (pool_first N E width).
Proof. exact pool_first_rule. Qed.
(** [pooled-price] [dsic-cost] Truthful in costs, on plain and on effective data, whatever else is said. *)
Theorem pooled_cost : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_cost E (pooled N E width sel).
Proof. exact pooled_dsic_cost. Qed.
(** [pooled-price] [dsic-gain] Truthful in gains on data as reported. *)
Theorem pooled_gain : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_gain E (pooled N E width sel).
Proof. exact pooled_dsic_gain. Qed.
(** [pooled-price] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem pooled_cost_gain : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_cost_gain E (pooled N E width sel).
Proof. exact pooled_dsic_cost_gain. Qed.
(** [pooled-price] [dsic] On effective data: truthful in cost, gain and size at once, whatever the others report. *)
Theorem pooled_all : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> measured E -> dsic E (pooled N E width sel).
Proof. exact pooled_dsic. Qed.
(** [pooled-price] [dsic-size] On effective data: truthful in size alone. *)
Theorem pooled_size : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> measured E -> dsic_size E (pooled N E width sel).
Proof. exact pooled_dsic_size. Qed.
(** [pooled-price] [ir] Nobody loses: any law that starts at zero. *)
Theorem pooled_rational : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> starts_at_zero E -> ir E (pooled N E width sel).
Proof. exact pooled_ir. Qed.
(** [pooled-price] [budget-balance] What is paid is received. *)
Theorem pooled_budget : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> balanced E (pooled N E width sel).
Proof. exact Pooled.pooled_balanced. Qed.

(** ** ipfl *)
(** [ipfl] [exists] At the paper's law every threshold exists, so the rule does. *)
Theorem ipfl_exists : forall m e d l, threshold_rule reals (sqrt_market m e d l) (find_threshold m e d l) (order m e d l).
Proof. exact reference_rule_exists. Qed.
(** [ipfl] [ir] Nobody loses where the law rises with falling increments and data are as reported. *)
Theorem ipfl_rational : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> falling E -> rising E -> starts_at_zero E -> ir E (ipfl N E x ord).
Proof. exact ipfl_ir. Qed.
(** [ipfl] [budget-balance] What is paid is received. *)
Theorem ipfl_budget : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> balanced E (ipfl N E x ord).
Proof. exact Threshold.ipfl_balanced. Qed.
(** [ipfl] [not dsic-cost] Understating a cost can pay: truth leaves 0, a lie 1.9, however thresholds are found. *)
Theorem ipfl_cost_refuted : forall x ord, threshold_rule reals two x ord -> ~ dsic_cost two (ipfl reals two x ord).
Proof. exact ipfl_not_dsic_cost. Qed.
