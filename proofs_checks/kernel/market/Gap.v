(** * ipfl-exact solved to a gap

    A selection that stops early misses W_k(M) by at most eps_k, and so does what is taken for W_k(M without j). *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact market.Marginal.

Section Gap.
Variable N : num.
Add Field field_gap : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable eps : nat -> N.
Notation types := (types N).

(** [h r k j] is what the rule takes for W_k(M without j). *)
Record near_rule (sel : types -> nat -> list nat) (h : types -> nat -> nat -> N) : Prop := NearRule {
  near_in : forall r k, In (sel r k) (subsets (others E k));
  near_top : forall r k, top E r k (others E k) - eps k <= objective E r k (sel r k);
  near_below : forall r k j, h r k j <= top E r k (without j (others E k));
  near_above : forall r k j, top E r k (without j (others E k)) - eps k <= h r k j;
  near_view : forall r r' i, same_view E r r' i -> sel r i = sel r' i /\ forall j, h r i j = h r' i j }.
Variable sel : types -> nat -> list nat.
Variable h : types -> nat -> nat -> N.
Hypothesis rule : near_rule sel h.
Definition near_price (r : types) (k j : nat) : N := cost r j + objective E r k (sel r k) - h r k j.
Definition ipfl_near : mechanism N := Mechanism sel near_price.

Lemma near_incl r i : incl (sel r i) (others E i).
Proof. apply subsets_incl, (near_in _ _ rule). Qed.
Lemma near_NoDup r i : NoDup (sel r i).
Proof. apply (subsets_NoDup _ (others E i)); [apply others_NoDup|apply (near_in _ _ rule)]. Qed.
Definition near_earns (r : types) (k i : nat) (c b : N) : N :=
  if mem i (sel (set_cost r i b) k) then near_price (set_cost r i b) k i - c else 0.
(** Truth earns the pivotal value of i up to eps_k ... *)
Lemma near_earns_truth r k i c :
  top E (set_cost r i c) k (others E k) - top E r k (without i (others E k)) - eps k <= near_earns r k i c c.
Proof.
  unfold near_earns, near_price. pose proof (near_top _ _ rule (set_cost r i c) k) as T.
  pose proof (pivot_absent N E r k i c) as P.
  destruct (mem i (sel (set_cost r i c) k)) eqn:B.
  - pose proof (near_below _ _ rule (set_cost r i c) k i) as H. rewrite P in H. cbn. rewrite put_same. slack2 T H.
  - apply mem_not_In in B. assert (H : objective E (set_cost r i c) k (sel (set_cost r i c) k) <= top E r k (without i (others E k))).
    { rewrite <- P. apply top_best, subsets_without; [apply (near_in _ _ rule)|assumption]. }
    slack2 T H.
Qed.
(** ... and no lie earns more than that, up to another eps_k, unless W(M without i) was found exactly. *)
Lemma near_earns_lie r k i c b (d : N) : 0 <= d -> top E (set_cost r i b) k (without i (others E k)) - d <= h (set_cost r i b) k i ->
  near_earns r k i c b <= top E (set_cost r i c) k (others E k) - top E r k (without i (others E k)) + d.
Proof.
  intros Hd A. unfold near_earns, near_price. rewrite (pivot_absent N E r k i b) in A. destruct (mem i (sel (set_cost r i b) k)) eqn:B.
  - apply mem_In in B.
    assert (H := top_best _ E (set_cost r i c) k (others E k) (sel (set_cost r i b) k) (near_in _ _ rule _ _)).
    rewrite objective_cost_present in H by (try apply near_NoDup; assumption).
    rewrite objective_cost_present by (try apply near_NoDup; assumption).
    refine (lin2 _ _ _ _ _ _ _ H A _). cbn. rewrite put_same. ring.
  - pose proof (top_mono _ E (set_cost r i c) k (fun j => negb (Nat.eqb i j)) (others E k)) as H.
    change (filter _ (others E k)) with (without i (others E k)) in H. rewrite (pivot_absent N E r k i c) in H. slack2 H Hd.
Qed.
Lemma near_bought th r i b : bought E ipfl_near th (set_cost r i b) i = bought E ipfl_near th r i.
Proof.
  destruct (near_view _ _ rule _ _ _ (view_own_cost _ E r i b)) as [Es Eh]. unfold bought; cbn. rewrite Es. f_equal.
  apply sum_ext. intros j Hj. apply near_incl in Hj. unfold near_price. rewrite Es, Eh.
  rewrite (objective_view _ E (set_cost r i b) r i) by (apply view_own_cost || apply near_incl). cbn.
  rewrite put_other; [reflexivity|]. apply others_In in Hj. tauto.
Qed.
Lemma near_regret (d : nat -> N) : (forall k, 0 <= d k) ->
  (forall r k j, top E r k (without j (others E k)) - d k <= h r k j) ->
  cost_regret E ipfl_near (fun i => sum (fun k => eps k + d k) (others E i)).
Proof.
  intros Hd A th r i b Hi. unfold utility. rewrite !near_bought.
  assert (H : sold E ipfl_near th (set_cost r i b) i <= sold E ipfl_near th (set_cost r i (cost th i)) i + sum (fun k => eps k + d k) (others E i)).
  { unfold sold. rewrite <- sum_add. apply sum_le. intros k _.
    change (near_earns r k i (cost th i) b <= near_earns r k i (cost th i) (cost th i) + (eps k + d k)).
    pose proof (near_earns_truth r k i (cost th i)) as T. pose proof (near_earns_lie r k i (cost th i) b (d k) (Hd k) (A _ _ _)) as L.
    slack2 T L. }
  slack1 H.
Qed.
(** A lie about a cost gains at most 2 eps_k from each importer k. *)
Theorem ipfl_near_regret : (forall k, 0 <= eps k) -> cost_regret E ipfl_near (fun i => sum (fun k => eps k + eps k) (others E i)).
Proof. intro P. apply near_regret; [exact P|apply (near_above _ _ rule)]. Qed.
(** At most eps_k where W_k(M without j) is found exactly. *)
Theorem ipfl_near_regret_exact_pivot : (forall r k j, h r k j = top E r k (without j (others E k))) ->
  cost_regret E ipfl_near (fun i => sum (fun k => eps k + 0) (others E i)).
Proof. intro H. apply near_regret; [intro; apply le_refl|]. intros. rewrite H. apply diff_le, le_eq. ring. Qed.
(** A seller may lose at most eps_k by a sale to k. *)
Theorem ipfl_near_ir_seller th r i : (forall k, 0 <= eps k) -> cost r i = cost th i -> 0 - sum eps (others E i) <= sold E ipfl_near th r i.
Proof.
  intros P Hc. replace (0 - sum eps (others E i)) with (sum (fun k => 0 - eps k) (others E i)).
  2:{ rewrite sum_sub, sum_zero. reflexivity. }
  apply sum_le. intros k _. cbn [ipfl_near buys price]. destruct (mem i (sel r k)).
  - unfold near_price. rewrite Hc. pose proof (near_top _ _ rule r k) as T. pose proof (near_below _ _ rule r k i) as H.
    pose proof (top_mono _ E r k (fun j => negb (Nat.eqb i j)) (others E k)) as M.
    change (filter _ (others E k)) with (without i (others E k)) in M. slack3 T H M.
  - pose proof (P k) as Pk. slack1 Pk.
Qed.
Theorem ipfl_near_balanced : balanced E ipfl_near.
Proof. apply bilateral_balance. intros r i _. split; [apply near_NoDup|apply near_incl]. Qed.
(** ** As the code pays: never less than the cost, however much the gap may take from W(M) *)
Definition clipped_price (r : types) (k j : nat) : N := cost r j + (let x := objective E r k (sel r k) - h r k j in if leb 0 x then x else 0).
Definition ipfl_clipped : mechanism N := Mechanism sel clipped_price.
Definition clipped_earns (r : types) (k i : nat) (c b : N) : N :=
  if mem i (sel (set_cost r i b) k) then clipped_price (set_cost r i b) k i - c else 0.
Lemma clipped_truth r k i c : near_earns r k i c c <= clipped_earns r k i c c.
Proof.
  unfold near_earns, clipped_earns, near_price, clipped_price. destruct (mem i _); [|apply le_refl]. cbn zeta. set (x := objective _ _ _ _ - h _ _ _).
  apply diff_le. destruct (leb 0 x) eqn:B.
  - apply le_eq. unfold x. ring.
  - apply leb_total in B. unfold x in *. slack1 B.
Qed.
Lemma clipped_lie r k i c b : 0 <= eps k -> clipped_earns r k i c b <= top E (set_cost r i c) k (others E k) - top E r k (without i (others E k)) + eps k.
Proof.
  intro P. pose proof (near_earns_lie r k i c b (eps k) P (near_above _ _ rule (set_cost r i b) k i)) as L.
  unfold near_earns, clipped_earns, near_price, clipped_price in *. destruct (mem i (sel (set_cost r i b) k)) eqn:B; [|exact L].
  cbn zeta. destruct (leb 0 (objective E (set_cost r i b) k (sel (set_cost r i b) k) - h (set_cost r i b) k i)) eqn:Z.
  { refine (le_trans N _ _ _ _ L). apply le_eq. ring. }
  apply mem_In in B. pose proof (near_top _ _ rule (set_cost r i b) k) as T. pose proof (top_mono _ E (set_cost r i b) k (fun j => negb (Nat.eqb i j)) (others E k)) as M.
  change (filter _ (others E k)) with (without i (others E k)) in M. rewrite (pivot_absent N E r k i b) in M.
  pose proof (top_best _ E (set_cost r i c) k (others E k) (sel (set_cost r i b) k) (near_in _ _ rule _ _)) as H.
  rewrite objective_cost_present in H by (try apply near_NoDup; assumption). rewrite objective_cost_present in T by (try apply near_NoDup; assumption).
  refine (lin3 _ _ _ _ _ _ _ _ _ H M T _). cbn. rewrite put_same. ring.
Qed.
Lemma clipped_bought th r i c : bought E ipfl_clipped th (set_cost r i c) i = bought E ipfl_clipped th r i.
Proof.
  destruct (near_view _ _ rule _ _ _ (view_own_cost _ E r i c)) as [Es Eh]. unfold bought; cbn. rewrite Es. f_equal.
  apply sum_ext. intros j Hj. apply near_incl in Hj. unfold clipped_price. rewrite Es, Eh.
  rewrite (objective_view _ E (set_cost r i c) r i) by (apply view_own_cost || apply near_incl). cbn.
  rewrite put_other; [reflexivity|]. apply others_In in Hj. tauto.
Qed.
(** Truthful up to 2 eps_k from each importer k; and no seller loses anything. *)
Theorem ipfl_clipped_regret : (forall k, 0 <= eps k) -> cost_regret E ipfl_clipped (fun i => sum (fun k => eps k + eps k) (others E i)).
Proof.
  intros P th r i b Hi. unfold utility. rewrite !clipped_bought.
  assert (H : sold E ipfl_clipped th (set_cost r i b) i <= sold E ipfl_clipped th (set_cost r i (cost th i)) i + sum (fun k => eps k + eps k) (others E i)).
  { unfold sold. rewrite <- sum_add. apply sum_le. intros k _.
    change (clipped_earns r k i (cost th i) b <= clipped_earns r k i (cost th i) (cost th i) + (eps k + eps k)).
    pose proof (near_earns_truth r k i (cost th i)) as T. pose proof (clipped_truth r k i (cost th i)) as T'. pose proof (clipped_lie r k i (cost th i) b (P k)) as L.
    slack3 T T' L. }
  slack1 H.
Qed.
Theorem ipfl_clipped_ir_seller : ir_seller E ipfl_clipped.
Proof.
  intros th r i _ _ _ Hc. apply sum_nonneg. intros k _. cbn [ipfl_clipped buys price]. destruct (mem i (sel r k)); [|apply le_refl].
  unfold clipped_price. rewrite Hc. cbn zeta. destruct (leb 0 (objective E r k (sel r k) - h r k i)) eqn:Z; [|apply diff_le, le_eq; ring].
  change (0 <= objective E r k (sel r k) - h r k i) in Z. slack1 Z.
Qed.
(** The objective misses the best one by the gaps together, whatever is paid. *)
Theorem near_efficient r a : (forall i, (i < clients E)%nat -> In (a i) (subsets (others E i))) ->
  sum (fun i => objective E r i (a i)) (seq 0 (clients E)) <= sum (fun i => objective E r i (sel r i)) (seq 0 (clients E)) + sum eps (seq 0 (clients E)).
Proof.
  intro H. rewrite <- sum_add. apply sum_le. intros i Hi. apply in_seq in Hi. pose proof (top_best _ E r i (others E i) (a i) (H i ltac:(lia))) as B.
  pose proof (near_top _ _ rule r i) as T. slack2 B T.
Qed.
(** exact-marginal: a seller may lose at most eps_k by a sale to k. *)
Theorem near_marginal_seller th r i : (forall k, 0 <= eps k) -> cost r i = cost th i -> 0 - sum eps (others E i) <= sold E (exact_marginal N E sel) th r i.
Proof.
  intros P Hc. replace (0 - sum eps (others E i)) with (sum (fun k => 0 - eps k) (others E i)) by (rewrite sum_sub, sum_zero; reflexivity).
  apply sum_le. intros k _. cbn [exact_marginal buys price]. destruct (mem i (sel r k)) eqn:B; [|pose proof (P k) as Pk; slack1 Pk].
  apply mem_In in B. unfold contribution. rewrite <- Hc. pose proof (near_top _ _ rule r k) as T.
  pose proof (top_best _ E r k (others E k) _ (subsets_filter_sub _ _ _ (subsets_filter (fun j => negb (Nat.eqb i j)) _ _ (near_in _ _ rule r k)))) as H.
  change (filter _ (sel r k)) with (without i (sel r k)) in H. set (W := top E r k (others E k)) in *. unfold objective in T, H.
  rewrite (sum_without _ (weight E r k) i (sel r k) (near_NoDup r k) B) in T. unfold weight at 1 in T. unfold marginal. slack2 T H.
Qed.
(** vcg-two-sided: a lie about a cost gains what it gains under ipfl-exact at most, one about the gain the importer's own gap. *)
Definition near_two_utility (th r : types) (i : nat) : N := value E th i (sel r i) - sum (weight E r i) (sel r i) + sold E ipfl_clipped th r i.
Theorem near_two_cost th r i b : (forall k, 0 <= eps k) -> (i < clients E)%nat ->
  near_two_utility th (set_cost r i b) i <= near_two_utility th (set_cost r i (cost th i)) i + sum (fun k => eps k + eps k) (others E i).
Proof.
  intros P Hi. pose proof (ipfl_clipped_regret P th r i b Hi) as H. unfold utility in H. rewrite !clipped_bought in H.
  assert (S : forall c, value E th i (sel (set_cost r i c) i) - sum (weight E (set_cost r i c) i) (sel (set_cost r i c) i) = value E th i (sel r i) - sum (weight E r i) (sel r i)).
  { intro c. destruct (near_view _ _ rule _ _ _ (view_own_cost _ E r i c)) as [-> _]. f_equal. apply sum_ext. intros j Hj.
    apply weight_view; [apply view_own_cost|exact (near_incl r i j Hj)]. }
  unfold near_two_utility. rewrite !S. slack1 H.
Qed.
Theorem near_two_gain th r i b : as_reported E th r i ->
  near_two_utility th (set_gain r i b) i <= near_two_utility th (set_gain r i (gain th i)) i + eps i.
Proof.
  intro D. set (t := set_gain r i (gain th i)). set (l := set_gain r i b).
  assert (S : sold E ipfl_clipped th l i = sold E ipfl_clipped th t i).
  { apply sum_ext. intros k Hk. apply others_In in Hk as [Hk Dk]. cbn [ipfl_clipped buys price].
    assert (V : same_view E l t k) by (repeat split; cbn; now rewrite !put_other by congruence).
    destruct (near_view _ _ rule _ _ _ V) as [Es Eh]. unfold clipped_price. rewrite Es, Eh. now rewrite (objective_view _ E l t k _ V) by apply near_incl. }
  assert (B : forall s, value E th i s - sum (weight E l i) s = objective E t i s).
  { intro s. unfold objective. rewrite (value_true _ E th t i s D (put_same _ _ _ _)). reflexivity. }
  unfold near_two_utility. rewrite S, B. change (sum (weight E t i) (sel t i)) with (sum (weight E l i) (sel t i)). rewrite B.
  pose proof (near_top _ _ rule t i) as T. pose proof (top_best _ E t i (others E i) (sel l i) (near_in _ _ rule l i)) as H. slack2 T H.
Qed.
End Gap.
