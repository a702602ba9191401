(** * Audit: what follows, ex post, on average and for selections that stop early

    Headers and restatements as in [AuditMarket]. *)
From Coq Require Import List.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact market.Gap market.Marginal market.TwoSided market.Realised.
From MarketKernel Require Import market.Offers market.Posted market.Pooled market.Clock market.Prior refuted.Together.
Import ListNotations.
Local Open Scope num_scope.

(** ** Expectations over a finite prior: profiles with chances, the others truthful *)
Section Definitions.
Variables (N : num) (E : market N) (u : types N -> types N -> nat -> N).
Goal bic E u (fun th i b => set_cost th i b) (@cost N) = forall p i b, (forall x, In x p -> 0 <= fst x) -> (i < clients E)%nat ->
  sum (fun x => fst x * u (snd x) (set_cost (snd x) i b) i) p <= sum (fun x => fst x * u (snd x) (set_cost (snd x) i (cost (snd x) i)) i) p.
Proof. reflexivity. Qed.
Goal bic_all E u = forall p i c k n, (forall x, In x p -> 0 <= fst x) -> (i < clients E)%nat -> sum (fun x => fst x * u (snd x) (say (snd x) i c k n) i) p <=
  sum (fun x => fst x * u (snd x) (say (snd x) i (cost (snd x) i) (gain (snd x) i) (size (snd x) i)) i) p.
Proof. reflexivity. Qed.
Goal interim_ir E u = forall p i, (forall x, In x p -> 0 <= fst x) -> valid_market E -> (forall x, In x p -> valid E (snd x)) -> (i < clients E)%nat ->
  0 <= sum (fun x => fst x * u (snd x) (snd x) i) p.
Proof. reflexivity. Qed.
Goal expost_all E u = forall th i c k n, (i < clients E)%nat -> u th (say th i c k n) i <= u th (say th i (cost th i) (gain th i) (size th i)) i.
Proof. reflexivity. Qed.
End Definitions.
(** [every-market-mechanism] [expost] Dominant strategies are best when the others tell the truth: in cost, in gain, in all at once. *)
Theorem dominant_is_expost : forall (N : num) (E : market N) M,
  (dsic_cost E M -> expost E (utility E M) (fun th i b => set_cost th i b) (@cost N)) /\
  (dsic_gain E M -> expost E (utility E M) (fun th i b => set_gain th i b) (@gain N)) /\ (dsic E M -> expost_all E (utility E M)).
Proof. exact dsic_expost. Qed.
(** [every-market-mechanism] [bic] Dominant strategies are best on average over every finite prior, types independent or not: in cost, in gain, in all at once. *)
Theorem dominant_is_bayesian : forall (N : num) (E : market N) M,
  (dsic_cost E M -> bic E (utility E M) (fun th i b => set_cost th i b) (@cost N)) /\
  (dsic_gain E M -> bic E (utility E M) (fun th i b => set_gain th i b) (@gain N)) /\ (dsic E M -> bic_all E (utility E M)).
Proof. exact dsic_bic. Qed.
(** [every-market-mechanism] [bic] So is truth that is best whenever the others tell the truth, of any utility. *)
Theorem expost_is_bayesian : forall (N : num) (E : market N) (u : types N -> types N -> nat -> N), (forall lie own, expost E u lie own -> bic E u lie own) /\ (expost_all E u -> bic_all E u).
Proof. intros. split; [apply expost_bic|apply expost_bic_all]. Qed.
(** [every-market-mechanism] [interim-ir] Who loses nothing at the truth loses nothing on average over every finite prior. *)
Theorem rational_is_interim : forall (N : num) (E : market N) M, ir E M -> interim_ir E (utility E M).
Proof. exact ir_interim_ir. Qed.
(** [every-market-mechanism] [weak-budget-balance] Where what is paid is received the centre loses nothing. *)
Theorem balance_is_weak : forall (N : num) (E : market N) M, balanced E M ->
  forall r, 0 <= sum (fun i => paid M r i - received E M r i) (seq 0 (clients E)).
Proof. exact balanced_weakly. Qed.
(** [every-market-mechanism] [bic] A lie about a cost that gains at most eps in every profile gains at most eps on average, times the chances. *)
Theorem regret_on_average : forall (N : num) (E : market N) (u : types N -> types N -> nat -> N) eps,
  (forall th i b, (i < clients E)%nat -> u th (set_cost th i b) i <= u th (set_cost th i (cost th i)) i + eps i) ->
  forall p i b, (forall x, In x p -> 0 <= fst x) -> (i < clients E)%nat ->
  sum (fun x => fst x * u (snd x) (set_cost (snd x) i b) i) p <=
  sum (fun x => fst x * u (snd x) (set_cost (snd x) i (cost (snd x) i)) i) p + sum (fun x => fst x * eps i) p.
Proof. exact regret_mean. Qed.
(** [vcg-two-sided] [bic] Best on average over every finite prior: in cost, in gain, and in both at once. *)
Theorem two_sided_bayesian : forall (N : num) (E : market N) sel, exact_rule N E sel -> let u := two_utility N E sel in
  bic E u (fun th i b => set_cost th i b) (@cost N) /\ bic E u (fun th i b => set_gain th i b) (@gain N) /\
  forall p i c k, (forall x, In x p -> 0 <= fst x) -> (i < clients E)%nat -> sum (fun x => fst x * u (snd x) (set_gain (set_cost (snd x) i c) i k) i) p <=
    sum (fun x => fst x * u (snd x) (set_gain (set_cost (snd x) i (cost (snd x) i)) i (gain (snd x) i)) i) p.
Proof.
  intros N E sel H u. split; [|split].
  - apply expost_bic. intros th i b Hi. now apply two_sided_dsic_cost.
  - apply expost_bic. intros th i b Hi. apply two_sided_dsic_gain; [assumption|now split].
  - intros p i c k C Hi. apply (mean_le N p (fun th => u th (set_gain (set_cost th i c) i k) i) (fun th => u th (set_gain (set_cost th i (cost th i)) i (gain th i)) i) C).
    intros x _. apply two_sided_dsic_cost_gain; [assumption|now split].
Qed.
(** [vcg-two-sided] [interim-ir] Nobody loses on average over any finite prior: any law that starts at zero. *)
Theorem two_sided_interim : forall (N : num) (E : market N) sel, exact_rule N E sel -> starts_at_zero E -> interim_ir E (two_utility N E sel).
Proof. intros N E sel H Z. apply ir_interim. intros th i VM V Hi. apply two_sided_ir; auto. now split. Qed.
(** [realised] [bic] Global form: best on average over every finite prior, in cost, gain and size at once. *)
Theorem realised_bayesian : forall (N : num) (E : market N) sel, exact_rule N E sel -> own_sizes N E -> bic_all E (realised_utility N E sel).
Proof. intros N E sel H L. apply expost_bic_all. intros th i c k n Hi. now apply realised_expost. Qed.
(** [realised] [interim-ir] Global form: nobody loses on average over any finite prior, any law that starts at zero. *)
Theorem realised_interim : forall (N : num) (E : market N) sel, exact_rule N E sel -> own_sizes N E -> starts_at_zero E -> interim_ir E (realised_utility N E sel).
Proof. intros N E sel H L Z. apply ir_interim. intros th i VM V Hi. now apply realised_ir. Qed.
(** [realised] [expost] Global form, as the property is defined: no lie about cost, gain or size pays when the others tell the truth. *)
Theorem realised_expost_all : forall (N : num) (E : market N) sel, exact_rule N E sel -> own_sizes N E -> expost_all E (realised_utility N E sel).
Proof. intros N E sel H L th i c k n Hi. now apply realised_expost. Qed.

(** ** Selections that stop early: eps_k is what importer k's may miss *)
(** [exact-selection] [efficiency] The objective misses the best one by the importers' gaps together at most, whatever is paid. *)
Theorem exact_gap : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> forall r a,
  (forall i, (i < clients E)%nat -> In (a i) (subsets (others E i))) -> sum (fun i => objective E r i (a i)) (seq 0 (clients E)) <=
  sum (fun i => objective E r i (sel r i)) (seq 0 (clients E)) + sum eps (seq 0 (clients E)).
Proof. exact near_efficient. Qed.
Goal clipped_price = fun (N : num) (E : market N) sel h r k j =>
  cost r j + (if leb 0 (objective E r k (sel r k) - h r k j) then objective E r k (sel r k) - h r k j else 0).
Proof. reflexivity. Qed.
(** [ipfl-exact] [regret] As the code pays, never below the cost: a lie about a cost gains at most 2 eps_k from each importer k. *)
Theorem ipfl_exact_regret_clipped : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> (forall k, 0 <= eps k) ->
  cost_regret E (ipfl_clipped N E sel h) (fun i => sum (fun k => eps k + eps k) (others E i)).
Proof. exact ipfl_clipped_regret. Qed.
(** [ipfl-exact] [ir-seller] As the code pays, sellers lose nothing, whatever the gaps. *)
Theorem ipfl_exact_sellers_clipped : forall (N : num) (E : market N) sel h, ir_seller E (ipfl_clipped N E sel h).
Proof. exact ipfl_clipped_ir_seller. Qed.
(** [exact-marginal] [ir-seller] A seller may lose at most eps_k by its sale to k. *)
Theorem exact_marginal_seller_gap : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> forall th r i, (forall k, 0 <= eps k) ->
  cost r i = cost th i -> 0 - sum eps (others E i) <= sold E (exact_marginal N E sel) th r i.
Proof. exact near_marginal_seller. Qed.
Goal near_two_utility = fun (N : num) (E : market N) sel h th r i => value E th i (sel r i) - sum (weight E r i) (sel r i)
  + sum (fun k => if mem i (sel r k) then clipped_price N E sel h r k i - cost th i else 0) (others E i).
Proof. reflexivity. Qed.
(** [vcg-two-sided] [regret] A lie about a cost gains at most 2 eps_k from each importer k. *)
Theorem two_sided_regret_cost : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> forall th r i b, (forall k, 0 <= eps k) ->
  (i < clients E)%nat -> near_two_utility N E sel h th (set_cost r i b) i <=
  near_two_utility N E sel h th (set_cost r i (cost th i)) i + sum (fun k => eps k + eps k) (others E i).
Proof. exact near_two_cost. Qed.
(** [vcg-two-sided] [regret] A lie about the gain, on data as reported, gains at most the own gap eps_i. *)
Theorem two_sided_regret_gain : forall (N : num) (E : market N) eps sel h, near_rule N E eps sel h -> forall th r i b, as_reported E th r i ->
  near_two_utility N E sel h th (set_gain r i b) i <= near_two_utility N E sel h th (set_gain r i (gain th i)) i + eps i.
Proof. exact near_two_gain. Qed.
Goal (forall N E, posted_rule N E = fun p => offers_within N E (willing N E p) (posted_price N p) (fun _ => 0)) /\
  (forall N E width, pooled_rule N E width = offers_within N E (offered N E width) (pool_price N E width) (fun _ => 0)).
Proof. split; reflexivity. Qed.
(** [posted-price] [regret] Its sets missing the best by eps_k: costs are truthful still; a lie about cost and gain at once gains at most eps_i. *)
Theorem posted_gap : forall (N : num) (E : market N) p eps sel, offers_within N E (willing N E p) (posted_price N p) eps sel ->
  dsic_cost E (posted N p sel) /\ forall th r i c k, (i < clients E)%nat -> as_reported E th r i ->
  utility E (posted N p sel) th (set_gain (set_cost r i c) i k) i <= utility E (posted N p sel) th (set_gain (set_cost r i (cost th i)) i (gain th i)) i + eps i.
Proof.
  intros N E p eps sel H. pose proof (posted_fair N E p) as F. split; [exact (offers_dsic_cost N E _ _ _ _ _ H F)|exact (offers_cost_gain_regret N E _ _ _ _ _ H F)].
Qed.
(** [pooled-price] [regret] The same of a pool; on effective data a lie about all three at once gains at most eps_i. *)
Theorem pooled_gap : forall (N : num) (E : market N) width eps sel, offers_within N E (offered N E width) (pool_price N E width) eps sel ->
  dsic_cost E (pooled N E width sel) /\ (forall th r i c k, (i < clients E)%nat -> as_reported E th r i -> utility E (pooled N E width sel) th (set_gain (set_cost r i c) i k) i <=
  utility E (pooled N E width sel) th (set_gain (set_cost r i (cost th i)) i (gain th i)) i + eps i) /\ (measured E -> forall th r i c k n, (i < clients E)%nat ->
  utility E (pooled N E width sel) th (say r i c k n) i <= utility E (pooled N E width sel) th (say r i (cost th i) (gain th i) (size th i)) i + eps i).
Proof.
  intros N E width eps sel H. pose proof (pooled_fair N E width) as F. split; [exact (offers_dsic_cost N E _ _ _ _ _ H F)|].
  split; [exact (offers_cost_gain_regret N E _ _ _ _ _ H F)|exact (offers_regret N E _ _ _ _ _ H F (fun x => x))].
Qed.
(** [clock-price] [regret] The same of a clock. *)
Theorem clock_gap : forall (N : num) (E : market N) scale stop eps sel, clock_rule N E scale stop ->
  offers_within N E (staying N E scale stop) (clock_ask N E scale stop) eps sel -> let M := clocked N E scale stop sel in
  dsic_cost E M /\ (forall th r i c k, (i < clients E)%nat -> as_reported E th r i -> utility E M th (set_gain (set_cost r i c) i k) i <=
  utility E M th (set_gain (set_cost r i (cost th i)) i (gain th i)) i + eps i) /\ (measured E -> forall th r i c k n, (i < clients E)%nat ->
  utility E M th (say r i c k n) i <= utility E M th (say r i (cost th i) (gain th i) (size th i)) i + eps i).
Proof.
  intros N E scale stop eps sel C H. pose proof (clock_fair N E scale stop C) as F. split; [exact (offers_dsic_cost N E _ _ _ _ _ H F)|].
  split; [exact (offers_cost_gain_regret N E _ _ _ _ _ H F)|exact (offers_regret N E _ _ _ _ _ H F (fun x => x))].
Qed.
