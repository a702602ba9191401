(** * Audit: what is claimed of market mechanisms, restated in full

    A theorem here restates a claim with everything that it assumes, so that no name can stay while its statement weakens.
    The header of each says [mechanism] [property] and the claim in words; the check reads the headers, prints the
    assumptions of each theorem, and records all. *)
From Coq Require Import List Permutation Reals.
From MarketKernel Require Import base.Num base.Sets base.Rank base.RealNumbers.
From MarketKernel Require Import market.Market market.Facts market.Laws market.SqrtLaw market.PowerLaw.
From MarketKernel Require Import market.Exact market.Offers market.Posted market.Pooled market.Clock market.Threshold market.ThresholdExists.
From MarketKernel Require Import market.Marginal market.Gap market.TwoSided market.Realised market.NoPayment market.Prefix market.PrefixSqrt market.Skip market.Shapley market.Clearing market.Checker.
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
(** [gain-law] [falling-increments] So does every power law (K/n)^e - (K/x)^e with e > 0. *)
Theorem power_laws : forall e : reals, 0 < e -> forall m cr d l, let E := power_market e m cr d l in starts_at_zero E /\ rising E /\ falling E.
Proof. intros e He m cr d l. apply lt_R in He. split; [apply power_starts|split; [now apply power_rising|now apply power_falling]]. Qed.
(** [gain-law] [falling-increments] Every concave law has falling increments, in every ordered field. *)
Theorem concave_law : forall (N : num) m e d l (f : N -> N), concave N f -> falling (Market m (scaled N f) e d l) /\ starts_at_zero (Market m (scaled N f) e d l).
Proof. intros. split; [now apply scaled_falling|apply scaled_starts]. Qed.

(** [effective-data] [measured] With effective data e_ij no report moves e_ij. *)
Theorem effective_data_measured : forall (N : num) m g (e d : nat -> nat -> N) l, measured (Market m g (effective e) d l).
Proof. exact effective_measured. Qed.

(** [plain-data] [premises] The plain market and effective data credit a pair by its own two sizes at most, as realised asks. *)
Theorem credits_own_sizes : forall (N : num) m g (e d : nat -> nat -> N) l,
  own_sizes N (Market m g plain d l) /\ own_sizes N (Market m g (effective e) d l).
Proof. intros. split; intros n n' i j Hi Hj; [exact Hj|reflexivity]. Qed.
(** [plain-data] [premises] Plain sizes of more than 0 make a market valid where lambda and the differences are not negative. *)
Theorem plain_valid : forall (N : num) m g (d : nat -> nat -> N) l, 0 <= l -> (forall i j, 0 <= d i j) -> valid_market (Market m g plain d l).
Proof. intros N m g d l Hl Hd. split; [exact Hl|]. split; [exact Hd|]. intros n Hn i j _ Hj. apply lt_le, Hn, Hj. Qed.

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
(** [ipfl-exact] [monotonicity] A seller that asks more sells no more. *)
Theorem ipfl_exact_monotone : forall (N : num) (E : market N) sel, exact_rule N E sel -> monotone E (ipfl_exact N E sel).
Proof. intros N E sel H. exact (exact_monotone N E sel H _). Qed.
(** [ipfl-exact] [regret] Solved to gaps eps_k >= 0, a lie about a cost gains at most 2 eps_k from each importer k. *)
Theorem ipfl_exact_regret : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> (forall k, 0 <= eps k) ->
  cost_regret E (ipfl_near N E sel h) (fun i => sum (fun k => eps k + eps k) (others E i)).
Proof. exact ipfl_near_regret. Qed.
(** [ipfl-exact] [regret] At most eps_k where W_k without j is found exactly. *)
Theorem ipfl_exact_regret_pivot : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> (forall k, 0 <= eps k) ->
  (forall r k j, h r k j = top E r k (without j (others E k))) ->
  cost_regret E (ipfl_near N E sel h) (fun i => sum (fun k => eps k + 0) (others E i)).
Proof. intros N E eps sel h H _. exact (ipfl_near_regret_exact_pivot N E eps sel h H). Qed.
(** [ipfl-exact] [ir-seller] Solved to gaps, a seller may lose at most eps_k by its sale to k. *)
Theorem ipfl_exact_seller_gap : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> forall th r i, (forall k, 0 <= eps k) ->
  cost r i = cost th i -> 0 - sum eps (others E i) <= sold E (ipfl_near N E sel h) th r i.
Proof. exact ipfl_near_ir_seller. Qed.
(** [ipfl-exact] [dsic-size] On effective data a seller's size report does nothing to what it earns by sales. *)
Theorem ipfl_exact_seller_size : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i n, measured E ->
  sold E (ipfl_exact N E sel) th (set_size r i n) i = sold E (ipfl_exact N E sel) th r i.
Proof. exact ipfl_exact_size_idle. Qed.
(** [ipfl-exact] [worthless] A seller whose model is worth nothing to k, and who asks something, sells nothing to k. *)
Theorem ipfl_exact_worthless : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r k j,
  0 < cost r j -> samples E r k j = 0 -> size r k <> 0 -> ~ In j (sel r k).
Proof. exact worthless_sells_nothing. Qed.

(** ** posted-price, pooled-price, clock-price: what holds of all fair offers *)
Ltac fairly law just := intros; eapply law; try eassumption; try (apply just; eassumption); try apply just; try (intro; assumption).
(** [posted-price] [exists] There is a rule: the first best set of the willing. *)
Theorem posted_exists : forall (N : num) (E : market N) p, posted_rule N E p (post_first N E p).
Proof. exact post_first_rule. Qed.
(** [posted-price] [dsic-cost] Truthful in costs, whatever else is said. *)
Theorem posted_cost : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_cost E (posted N p sel).
Proof. fairly offers_dsic_cost posted_fair. Qed.
(** [posted-price] [dsic-gain] Truthful in gains on data as reported. *)
Theorem posted_gain : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_gain E (posted N p sel).
Proof. fairly offers_dsic_gain posted_fair. Qed.
(** [posted-price] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem posted_cost_gain : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> dsic_cost_gain E (posted N p sel).
Proof. fairly offers_dsic_cost_gain posted_fair. Qed.
(** [posted-price] [ir] Nobody loses: any law that starts at zero. *)
Theorem posted_rational : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> starts_at_zero E -> ir E (posted N p sel).
Proof. fairly offers_ir posted_fair. Qed.
(** [posted-price] [budget-balance] What is paid is received. *)
Theorem posted_budget : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> balanced E (posted N p sel).
Proof. fairly offers_balanced posted_fair. Qed.
(** [posted-price] [monotonicity] A seller that asks more sells no more. *)
Theorem posted_monotone : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> monotone E (posted N p sel).
Proof. fairly offers_monotone posted_fair. Qed.

(** ** pooled-price *)
(** [pooled-price] [exists] There is a rule: the first best set of the pool. *)
Theorem pooled_exists : forall (N : num) (E : market N) width, pooled_rule N E width (pool_first N E width).
Proof. exact pool_first_rule. Qed.
(** [pooled-price] [dsic-cost] Truthful in costs, on plain and on effective data, whatever else is said. *)
Theorem pooled_cost : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_cost E (pooled N E width sel).
Proof. fairly offers_dsic_cost pooled_fair. Qed.
(** [pooled-price] [dsic-gain] Truthful in gains on data as reported. *)
Theorem pooled_gain : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_gain E (pooled N E width sel).
Proof. fairly offers_dsic_gain pooled_fair. Qed.
(** [pooled-price] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem pooled_cost_gain : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> dsic_cost_gain E (pooled N E width sel).
Proof. fairly offers_dsic_cost_gain pooled_fair. Qed.
(** [pooled-price] [dsic] On effective data: truthful in cost, gain and size at once, whatever the others report. *)
Theorem pooled_all : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> measured E -> dsic E (pooled N E width sel).
Proof. fairly offers_dsic pooled_fair. Qed.
(** [pooled-price] [dsic-size] On effective data: truthful in size alone. *)
Theorem pooled_size : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> measured E -> dsic_size E (pooled N E width sel).
Proof. fairly offers_dsic_size pooled_fair. Qed.
(** [pooled-price] [ir] Nobody loses: any law that starts at zero. *)
Theorem pooled_rational : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> starts_at_zero E -> ir E (pooled N E width sel).
Proof. fairly offers_ir pooled_fair. Qed.
(** [pooled-price] [budget-balance] What is paid is received. *)
Theorem pooled_budget : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> balanced E (pooled N E width sel).
Proof. fairly offers_balanced pooled_fair. Qed.
(** [pooled-price] [monotonicity] A seller that asks more sells no more. *)
Theorem pooled_monotone : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> monotone E (pooled N E width sel).
Proof. fairly offers_monotone pooled_fair. Qed.

(** ** clock-price *)
(** [clock-price] [exists] Any test of what was said by those who have left, or bring nothing, and of all data, makes a clock; a choice exists. *)
Theorem clock_exists : forall (N : num) (E : market N) power test, (forall l j, 0 < power l j) ->
  let scale := fun r k => power (data_of N E r k) in let stop := stop_by N E test in
  clock_rule N E scale stop /\ exists sel, offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel.
Proof. intros N E power test P scale stop. split; [now apply stop_by_rule|]. eexists. apply first_of_offers_rule. Qed.
(** [clock-price] [dsic-cost] Truthful in costs, on plain and on effective data, whatever else is said. *)
Theorem clock_cost : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> dsic_cost E (clocked N E scale stop sel).
Proof. fairly offers_dsic_cost clock_fair. Qed.
(** [clock-price] [dsic-gain] Truthful in gains on data as reported. *)
Theorem clock_gain : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> dsic_gain E (clocked N E scale stop sel).
Proof. fairly offers_dsic_gain clock_fair. Qed.
(** [clock-price] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem clock_cost_gain : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> dsic_cost_gain E (clocked N E scale stop sel).
Proof. fairly offers_dsic_cost_gain clock_fair. Qed.
(** [clock-price] [dsic] On effective data: truthful in cost, gain and size at once, whatever the others report. *)
Theorem clock_all : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> measured E -> dsic E (clocked N E scale stop sel).
Proof. fairly offers_dsic clock_fair. Qed.
(** [clock-price] [dsic-size] On effective data: truthful in size alone. *)
Theorem clock_size : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> measured E -> dsic_size E (clocked N E scale stop sel).
Proof. fairly offers_dsic_size clock_fair. Qed.
(** [clock-price] [ir] Nobody loses: any law that starts at zero. *)
Theorem clock_rational : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> starts_at_zero E -> ir E (clocked N E scale stop sel).
Proof. fairly offers_ir clock_fair. Qed.
(** [clock-price] [ir-buyer] Buyers lose nothing: any law that starts at zero, data as reported. *)
Theorem clock_buyers : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> starts_at_zero E -> ir_buyer E (clocked N E scale stop sel).
Proof. fairly offers_ir_buyer clock_fair. Qed.
(** [clock-price] [ir-seller] Sellers lose nothing: any law. *)
Theorem clock_sellers : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> ir_seller E (clocked N E scale stop sel).
Proof. fairly offers_ir_seller clock_fair. Qed.
(** [clock-price] [budget-balance] What is paid is received. *)
Theorem clock_budget : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> balanced E (clocked N E scale stop sel).
Proof. fairly offers_balanced clock_fair. Qed.
(** [clock-price] [monotonicity] A seller that asks more sells no more. *)
Theorem clock_monotone : forall (N : num) (E : market N) scale stop sel, clock_rule N E scale stop ->
  offers_rule N E (staying N E scale stop) (clock_ask N E scale stop) sel -> monotone E (clocked N E scale stop sel).
Proof. fairly offers_monotone clock_fair. Qed.

(** ** exact-marginal *)
(** [exact-marginal] [ir] Nobody loses where increments of the law fall and data are as reported. *)
Theorem exact_marginal_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> falling E -> starts_at_zero E -> ir E (exact_marginal N E sel).
Proof. exact Marginal.exact_marginal_ir. Qed.
(** [exact-marginal] [ir-seller] Sellers lose nothing: any law. *)
Theorem exact_marginal_sellers : forall (N : num) (E : market N) sel, exact_rule N E sel -> ir_seller E (exact_marginal N E sel).
Proof. exact Marginal.exact_marginal_ir_seller. Qed.
(** [exact-marginal] [budget-balance] What is paid is received. *)
Theorem exact_marginal_budget : forall (N : num) (E : market N) sel, exact_rule N E sel -> balanced E (exact_marginal N E sel).
Proof. exact Marginal.exact_marginal_balanced. Qed.
(** [exact-marginal] [efficiency] Efficient in V_lambda for the reported types. *)
Theorem exact_marginal_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> efficient E (exact_marginal N E sel).
Proof. exact Marginal.exact_marginal_efficient. Qed.
(** [exact-marginal] [monotonicity] A seller that asks more sells no more. *)
Theorem exact_marginal_monotone : forall (N : num) (E : market N) sel, exact_rule N E sel -> monotone E (exact_marginal N E sel).
Proof. exact Marginal.exact_marginal_monotone. Qed.

(** ** vcg-two-sided *)
Goal two_utility = fun (N : num) (E : market N) sel th r i => (value E th i (sel r i) - sum (weight E r i) (sel r i))
  + sum (fun k => if mem i (sel r k) then cost r i + top E r k (others E k) - top E r k (without i (others E k)) - cost th i else 0) (others E i).
Proof. reflexivity. Qed.
(** [vcg-two-sided] [dsic-cost] Truthful in costs, whatever else is said. *)
Theorem two_sided_cost : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i b,
  two_utility N E sel th (set_cost r i b) i <= two_utility N E sel th (set_cost r i (cost th i)) i.
Proof. exact two_sided_dsic_cost. Qed.
(** [vcg-two-sided] [dsic-gain] Truthful in gains on data as reported. *)
Theorem two_sided_gain : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i b, as_reported E th r i ->
  two_utility N E sel th (set_gain r i b) i <= two_utility N E sel th (set_gain r i (gain th i)) i.
Proof. exact two_sided_dsic_gain. Qed.
(** [vcg-two-sided] [dsic-cost-gain] Truthful in cost and gain at once, on data as reported. *)
Theorem two_sided_cost_gain : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i c k, as_reported E th r i ->
  two_utility N E sel th (set_gain (set_cost r i c) i k) i <= two_utility N E sel th (set_gain (set_cost r i (cost th i)) i (gain th i)) i.
Proof. exact two_sided_dsic_cost_gain. Qed.
(** [vcg-two-sided] [ir] Nobody loses: any law that starts at zero. *)
Theorem two_sided_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i, starts_at_zero E -> valid E r ->
  (i < clients E)%nat -> as_reported E th r i -> gain r i = gain th i -> cost r i = cost th i -> valid_market E ->
  0 <= two_utility N E sel th r i.
Proof. exact two_sided_ir. Qed.
(** [vcg-two-sided] [efficiency] Efficient in V_lambda for the reported types, as every exact selection. *)
Theorem two_sided_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall p, efficient E (Mechanism sel p).
Proof. exact exact_efficient. Qed.
(** [vcg-two-sided] [centre] The centre keeps the penalties and gives up what each seller was needed for. *)
Theorem two_sided_budget : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r,
  sum (fun i => sum (weight E r i) (sel r i) - sum (fun k => if mem i (sel r k) then critical N E r k i else 0) (others E i)) (seq 0 (clients E)) =
  sum (fun i => sum (fun j => pen E r i j - (top E r i (others E i) - top E r i (without j (others E i)))) (sel r i)) (seq 0 (clients E)).
Proof. exact two_sided_centre. Qed.
(** [vcg-two-sided] [no-surplus] Without a penalty the centre never has a surplus. *)
Theorem two_sided_never_surplus : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r, lam E = 0 ->
  (forall i, (i < clients E)%nat -> size r i <> 0) -> centre N E sel r <= 0.
Proof. exact two_sided_no_surplus. Qed.
(** [vcg-two-sided] [deficit] Without a penalty it has a deficit as soon as a seller that trades is pivotal. *)
Theorem two_sided_has_deficit : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r i j, lam E = 0 ->
  (forall i, (i < clients E)%nat -> size r i <> 0) -> (i < clients E)%nat -> In j (sel r i) ->
  top E r i (without j (others E i)) < top E r i (others E i) -> centre N E sel r < 0.
Proof. exact two_sided_deficit. Qed.

(** ** realised *)
Goal realised_utility = fun (N : num) (E : market N) sel th r i => value E th i (sel r i)
  - sum (fun k => if mem i (sel r k) then cost th i else 0) (others E i)
  - (sum (fun k => top E r k (without i (others E k))) (others E i)
     - (sum (fun k => value E th k (sel r k) - sum (fun l => if mem k (sel r l) then cost r k else 0) (others E k)) (others E i)
        - sum (fun k => sum (pen E th k) (sel r k)) (seq 0 (clients E)))).
Proof. reflexivity. Qed.
(** [realised] [expost] Global form: with the others truthful no lie about cost, gain or size pays, alone or together. *)
Theorem realised_truth : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th i c k n, own_sizes N E -> (i < clients E)%nat ->
  realised_utility N E sel th (say th i c k n) i <= realised_utility N E sel th (say th i (cost th i) (gain th i) (size th i)) i.
Proof. exact realised_expost. Qed.
(** [realised] [ir] Global form: at the truth nobody loses, any law that starts at zero. *)
Theorem realised_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th i, own_sizes N E -> starts_at_zero E -> valid E th ->
  (i < clients E)%nat -> 0 <= realised_utility N E sel th th i.
Proof. exact realised_ir. Qed.
(** [realised] [efficiency] The set that is chosen is the best for the reported types. *)
Theorem realised_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall p, efficient E (Mechanism sel p).
Proof. exact realised_efficient. Qed.
(** [realised-bilateral] [budget-balance] Bilateral form: what is paid is received, whatever was measured. *)
Theorem realised_bilateral_budget : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th, balanced E (realised_bilateral N E sel th).
Proof. exact Realised.realised_bilateral_balanced. Qed.
(** [realised-bilateral] [expost] Bilateral form: with the others truthful a seller earns no more by any lie. *)
Theorem realised_bilateral_sellers : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th i c k n, own_sizes N E ->
  sold E (realised_bilateral N E sel th) th (say th i c k n) i <=
  sold E (realised_bilateral N E sel th) th (say th i (cost th i) (gain th i) (size th i)) i.
Proof. exact realised_bilateral_expost_seller. Qed.

(** ** no-payment *)
(** [no-payment] [dsic] No report does anything. *)
Theorem no_payment_truth : forall (N : num) (E : market N), dsic E (no_payment N E) /\ dsic_cost E (no_payment N E) /\ dsic_gain E (no_payment N E) /\ dsic_size E (no_payment N E).
Proof. intros. split; [apply no_payment_dsic|]. split; [apply no_payment_dsic_cost|]. split; [apply no_payment_dsic_gain|apply no_payment_dsic_size]. Qed.
(** [no-payment] [budget-balance] Nothing is paid. *)
Theorem no_payment_budget : forall (N : num) (E : market N), balanced E (no_payment N E).
Proof. exact no_payment_balanced. Qed.

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
(** [ipfl] [overstating] Overstating a cost never pays where thresholds fall with the weight, whatever the others say. *)
Theorem ipfl_prefix : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> thresholds_fall N E x ->
  forall th r i b, falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat -> cost r i = cost th i -> cost th i <= b ->
  utility E (ipfl N E x ord) th (set_cost r i b) i <= utility E (ipfl N E x ord) th r i.
Proof. exact ipfl_overstating. Qed.
(** [ipfl] [overstating] Overstating a cost never pays at the paper's law. *)
Theorem ipfl_prefix_sqrt : forall m e d l x ord, let E := sqrt_market m e d l in threshold_rule reals E x ord ->
  forall th r i b, valid_market E -> valid E r -> (i < clients E)%nat -> cost r i = cost th i -> cost th i <= b ->
  utility E (ipfl reals E x ord) th (set_cost r i b) i <= utility E (ipfl reals E x ord) th r i.
Proof. exact ipfl_overstating_sqrt. Qed.
(** [ipfl] [monotonicity] A seller that asks more sells no more where thresholds fall with the weight. *)
Theorem ipfl_sells_less : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> thresholds_fall N E x ->
  forall r i k b, valid_market E -> valid E r -> (i < clients E)%nat -> (k < clients E)%nat -> k <> i -> cost r i <= b ->
  In i (taken N E x ord (set_cost r i b) k) -> In i (taken N E x ord r k).
Proof. exact ipfl_monotone. Qed.

(** ** threshold-skip, the search that goes on *)
(** [threshold-skip] [ir] Nobody loses where the law rises with falling increments and data are as reported. *)
Theorem skip_rational : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> falling E -> rising E -> starts_at_zero E -> ir E (threshold_skip N E x ord).
Proof. exact skip_ir. Qed.
(** [threshold-skip] [budget-balance] What is paid is received. *)
Theorem skip_budget : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> balanced E (threshold_skip N E x ord).
Proof. exact Skip.skip_balanced. Qed.
(** [threshold-skip] [overstating] Overstating a cost never pays where thresholds fall with the weight, whatever the others say. *)
Theorem skip_prefix : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> thresholds_fall N E x ->
  forall th r i b, falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat -> cost r i = cost th i -> cost th i <= b ->
  utility E (threshold_skip N E x ord) th (set_cost r i b) i <= utility E (threshold_skip N E x ord) th r i.
Proof. exact skip_overstating. Qed.
(** [threshold-skip] [overstating] Overstating a cost never pays at the paper's law. *)
Theorem skip_prefix_sqrt : forall m e d l x ord, let E := sqrt_market m e d l in threshold_rule reals E x ord ->
  forall th r i b, valid_market E -> valid E r -> (i < clients E)%nat -> cost r i = cost th i -> cost th i <= b ->
  utility E (threshold_skip reals E x ord) th (set_cost r i b) i <= utility E (threshold_skip reals E x ord) th r i.
Proof.
  intros m e d l x ord E H th r i b VM V Hi Hc Hb. apply skip_overstating; auto; [exact (sqrt_thresholds_fall m e d l x ord H)|apply sqrt_falling|apply sqrt_rising].
Qed.
(** [threshold-skip] [overstating] A seller taken with an overstated cost is taken with the true one, in the very same set. *)
Theorem skip_same_set : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> thresholds_fall N E x ->
  forall r i b, valid_market E -> valid E r -> (i < clients E)%nat -> cost r i <= b -> forall k, (k < clients E)%nat -> k <> i ->
  In i (kept N E x ord (set_cost r i b) k) -> In i (kept N E x ord r k) /\ Permutation (kept N E x ord (set_cost r i b) k) (kept N E x ord r k).
Proof. exact skip_same. Qed.

(** ** shapley-split *)
(** [shapley-split] [ir] Over all orders of arrival or some of them: nobody loses where increments of the law fall and data are as reported. *)
Theorem shapley_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, are_orders N sel orders ->
  falling E -> starts_at_zero E -> ir E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_ir. Qed.
(** [shapley-split] [ir-seller] Sellers lose nothing where increments of the law fall. *)
Theorem shapley_sellers : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, are_orders N sel orders ->
  falling E -> starts_at_zero E -> ir_seller E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_ir_seller. Qed.
(** [shapley-split] [budget-balance] What is paid is received. *)
Theorem shapley_budget : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, balanced E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_balanced. Qed.
(** [shapley-split] [efficiency] Efficient in V_lambda for the reported types. *)
Theorem shapley_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, efficient E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_efficient. Qed.
(** [shapley-split] [monotonicity] A seller that asks more sells no more. *)
Theorem shapley_sells_less : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, monotone E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_monotone. Qed.

(** ** Parts and single lies, as the catalogue asks for them *)
(** [ipfl-exact] [ir-buyer] Buyers lose nothing where increments of the law fall and data are as reported. *)
Theorem ipfl_exact_buyers : forall (N : num) (E : market N) sel, exact_rule N E sel -> falling E -> starts_at_zero E -> ir_buyer E (ipfl_exact N E sel).
Proof. exact ipfl_exact_ir_buyer. Qed.
(** [exact-marginal] [ir-buyer] Buyers lose nothing where increments of the law fall and data are as reported. *)
Theorem exact_marginal_buyers : forall (N : num) (E : market N) sel, exact_rule N E sel -> falling E -> starts_at_zero E -> ir_buyer E (exact_marginal N E sel).
Proof. exact exact_marginal_ir_buyer. Qed.
(** [posted-price] [ir-buyer] Buyers lose nothing: any law that starts at zero, data as reported. *)
Theorem posted_buyers : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> starts_at_zero E -> ir_buyer E (posted N p sel).
Proof. fairly offers_ir_buyer posted_fair. Qed.
(** [posted-price] [ir-seller] Sellers lose nothing: any law. *)
Theorem posted_sellers : forall (N : num) (E : market N) p sel, posted_rule N E p sel -> ir_seller E (posted N p sel).
Proof. fairly offers_ir_seller posted_fair. Qed.
(** [pooled-price] [ir-buyer] Buyers lose nothing: any law that starts at zero, data as reported. *)
Theorem pooled_buyers : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> starts_at_zero E -> ir_buyer E (pooled N E width sel).
Proof. fairly offers_ir_buyer pooled_fair. Qed.
(** [pooled-price] [ir-seller] Sellers lose nothing: any law. *)
Theorem pooled_sellers : forall (N : num) (E : market N) width sel, pooled_rule N E width sel -> ir_seller E (pooled N E width sel).
Proof. fairly offers_ir_seller pooled_fair. Qed.
(** [vcg-two-sided] [ir-buyer] Buyers lose nothing: any law that starts at zero, data as reported. *)
Theorem two_sided_buyers : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th r i, starts_at_zero E -> valid E r ->
  (i < clients E)%nat -> as_reported E th r i -> gain r i = gain th i -> 0 <= value E th i (sel r i) - sum (weight E r i) (sel r i).
Proof. exact two_sided_ir_buyer. Qed.
(** [vcg-two-sided] [ir-seller] Sellers, who receive what ipfl-exact pays, lose nothing: any law. *)
Theorem two_sided_sellers : forall (N : num) (E : market N) sel, exact_rule N E sel -> ir_seller E (ipfl_exact N E sel).
Proof. intros N E sel _. exact (ipfl_exact_ir_seller N E sel). Qed.
(** [vcg-two-sided] [monotonicity] A seller that asks more sells no more, as under every exact selection. *)
Theorem two_sided_monotone : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall p, monotone E (Mechanism sel p).
Proof. exact exact_monotone. Qed.
(** [shapley-split] [ir-buyer] Buyers lose nothing where increments of the law fall and data are as reported. *)
Theorem shapley_buyers : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall orders, are_orders N sel orders ->
  falling E -> starts_at_zero E -> ir_buyer E (shapley_split N E sel orders).
Proof. exact Shapley.shapley_ir_buyer. Qed.
(** [realised] [monotonicity] A seller that asks more sells no more, as under every exact selection. *)
Theorem realised_monotone : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall p, monotone E (Mechanism sel p).
Proof. exact exact_monotone. Qed.
(** [realised-bilateral] [expost-cost] Bilateral form: with the others truthful no lie about cost pays, buying and selling together. *)
Theorem realised_bilateral_cost : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th i b, own_sizes N E -> (i < clients E)%nat ->
  utility E (realised_bilateral N E sel th) th (set_cost th i b) i <= utility E (realised_bilateral N E sel th) th (set_cost th i (cost th i)) i.
Proof. exact realised_bilateral_expost_cost. Qed.
(** [realised-bilateral] [ir] Bilateral form: at the truth nobody loses where increments of the law fall. *)
Theorem realised_bilateral_rational : forall (N : num) (E : market N) sel, exact_rule N E sel -> falling E -> starts_at_zero E -> forall th i,
  valid_market E -> valid E th -> (i < clients E)%nat -> 0 <= utility E (realised_bilateral N E sel th) th th i.
Proof.
  intros N E sel H F Z th i VM V Hi. rewrite realised_bilateral_at_truth by exact H. apply Exact.ipfl_exact_ir; auto. now split.
Qed.
(** [realised-bilateral] [efficiency] The set that is chosen is the best for the reported types. *)
Theorem realised_bilateral_best : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th, efficient E (realised_bilateral N E sel th).
Proof. intros N E sel H th. exact (exact_efficient N E sel H (bilateral_price N E sel th)). Qed.
(** [realised-bilateral] [monotonicity] A seller that asks more sells no more. *)
Theorem realised_bilateral_monotone : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall th, monotone E (realised_bilateral N E sel th).
Proof. intros N E sel H th. exact (exact_monotone N E sel H (bilateral_price N E sel th)). Qed.
(** [no-payment] [ir-buyer] Buyers, who pay nothing, lose nothing where the law starts at zero and rises. *)
Theorem no_payment_buyers : forall (N : num) (E : market N), starts_at_zero E -> rising E -> ir_buyer E (no_payment N E).
Proof. exact no_payment_ir_buyer. Qed.
(** [no-payment] [monotonicity] A seller that asks more sells no more: what is sold reads no report. *)
Theorem no_payment_sells_same : forall (N : num) (E : market N), monotone E (no_payment N E).
Proof. exact no_payment_monotone. Qed.
(** [ipfl] [ir-buyer] Buyers lose nothing where increments of the law fall and data are as reported. *)
Theorem ipfl_buyers : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> falling E -> starts_at_zero E -> ir_buyer E (ipfl N E x ord).
Proof. exact ipfl_ir_buyer. Qed.
(** [ipfl] [ir-seller] Sellers lose nothing where the law rises with falling increments. *)
Theorem ipfl_sellers : forall (N : num) (E : market N) x ord, threshold_rule N E x ord -> falling E -> rising E -> ir_seller E (ipfl N E x ord).
Proof. exact ipfl_ir_seller. Qed.
(** [ipfl] [monotonicity] A seller that asks more sells no more at the paper's law. *)
Theorem ipfl_sells_less_sqrt : forall m e d l x ord, let E := sqrt_market m e d l in threshold_rule reals E x ord ->
  forall r i k b, valid_market E -> valid E r -> (i < clients E)%nat -> (k < clients E)%nat -> k <> i -> cost r i <= b ->
  In i (buys (ipfl reals E x ord) (set_cost r i b) k) -> In i (buys (ipfl reals E x ord) r k).
Proof. intros m e d l x ord E H. exact (ipfl_monotone reals E x ord H (sqrt_thresholds_fall m e d l x ord H)). Qed.
(** [ipfl-exact] [below-marginal] On the same set a price is at most the marginal payment G(S) - G(S without j) - pen: any law, concave or not. *)
Theorem ipfl_exact_below_marginal : forall (N : num) (E : market N) sel, exact_rule N E sel -> forall r i j, In j (sel r i) ->
  price (ipfl_exact N E sel) r i j <= marginal E r i (sel r i) j - pen E r i j.
Proof. exact critical_marginal. Qed.
(** [gain-law] [marginals] Where increments of a law fall, the marginal contributions of a set sum to at most its gain. *)
Theorem marginals_sum : forall (N : num) (E : market N) r i s, falling E -> starts_at_zero E -> valid_market E -> valid E r -> (i < clients E)%nat ->
  NoDup s -> incl s (others E i) -> sum (marginal E r i s) s <= value E r i s.
Proof. exact marginals_total. Qed.

(** ** Certificates of clearings, in the format of the code *)
Goal bounded = fun (N : num) own e w l => fix bounded limit t a o := match t with
  | Leaf c mu => (existsb (fun j => existsb (fun b => Nat.eqb j b || dominates N e w j b) a && existsb (fun b => Nat.eqb j b || dominates N e w b j) o) l
      || leb (c + mu * own + sum (share N e w mu a o) l) limit)%bool
  | Ask j t u => (mem j l && (bounded limit t (j :: a) o && bounded limit u a (j :: o)))%bool end.
Proof. reflexivity. Qed.
(** [clearing-certificate] [efficiency] A checked tree whose leaves are bounded by U, and a set of objective J: the optimum lies between J and U. *)
Theorem certified_optimal : forall (N : num) (E : market N) r i, valid_market E -> valid E r -> (i < clients E)%nat -> rising E -> forall limit t s,
  certified N E r i limit t (others E i) -> In s (subsets (others E i)) ->
  objective E r i s <= top E r i (others E i) /\ top E r i (others E i) <= limit.
Proof. exact clearing_optimal. Qed.
(** [clearing-certificate] [critical-value] With a checked tree for M, one for M without j, and prices within 2 eps of both far ends: the price misses the critical value by at most 2 eps. *)
Theorem certified_priced : forall (N : num) (E : market N) r i, valid_market E -> valid E r -> (i < clients E)%nat -> rising E ->
  forall limit limit_j t u s s_j j price eps,
  certified N E r i limit t (others E i) -> certified N E r i limit_j u (without j (others E i)) ->
  In s (subsets (others E i)) -> In s_j (subsets (without j (others E i))) ->
  price - (cost r j + objective E r i s - limit_j) <= eps + eps -> cost r j + limit - objective E r i s_j - price <= eps + eps ->
  price - (cost r j + top E r i (others E i) - top E r i (without j (others E i))) <= eps + eps /\
  (cost r j + top E r i (others E i) - top E r i (without j (others E i))) - price <= eps + eps.
Proof. exact clearing_priced. Qed.
(** [clearing-certificate] [checker] At the law K/n - K/x: where the program that checks certificates says yes, the set bought misses the optimum by at most eps and each price its critical value by at most 2 eps. *)
Theorem certified_checker : forall (N : num) m e d l r i, let E := Market m (hyper N) e d l in valid_market E -> valid E r -> (i < m)%nat ->
  forall eps t s priced, checked N m e d l r i eps t s priced = true -> let own := objective E r i (filter (fun j => mem j s) (others E i)) in
  (own <= top E r i (others E i) /\ top E r i (others E i) <= own + eps) /\
  forall j p s' u, In (j, (p, (s', u))) priced ->
    p - (cost r j + top E r i (others E i) - top E r i (without j (others E i))) <= eps + eps /\
    (cost r j + top E r i (others E i) - top E r i (without j (others E i))) - p <= eps + eps.
Proof. exact checked_clearing. Qed.
(** [clearing-certificate] [lines] The tangents of the paper's law, by which leaves are bounded, lie above it. *)
Theorem certified_lines : forall K n z x : R, (0 <= K -> 0 < z -> 0 < x ->
  sqrt (K / n) - sqrt (K / x) <= (sqrt (K / n) - 3 * sqrt K / (2 * z)) + sqrt K / (2 * (z * z * z)) * x)%R.
Proof. exact sqrt_tangent. Qed.
