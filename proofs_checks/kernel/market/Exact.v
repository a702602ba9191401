(** * ipfl-exact: exact selection by any tie rule, critical-value (Clarke) payments *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.
Import ListNotations.

Section Exact.
Variable N : num.
Add Field field_exact : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Notation types := (types N).

(** Exact selection: any choice of a maximiser that reads the importer's view only, so that ties may be broken by
    anything but the importer's own cost and what is not its business. *)
Record exact_rule (sel : types -> nat -> list nat) : Prop := ExactRule {
  sel_in : forall r i, In (sel r i) (subsets (others E i));
  sel_top : forall r i, objective E r i (sel r i) = top E r i (others E i);
  sel_view : forall r r' i, same_view E r r' i -> sel r i = sel r' i }.

Lemma objective_cost_absent r k i b s : ~ In i s -> objective E (set_cost r i b) k s = objective E r k s.
Proof.
  intro H. unfold objective. f_equal. apply sum_ext. intros j Hj. unfold weight, pen, samples, set_cost; cbn.
  rewrite put_other; [reflexivity|]. now intros ->.
Qed.
Lemma objective_cost_present r k i b s : NoDup s -> In i s ->
  objective E (set_cost r i b) k s = objective E r k s + cost r i - b.
Proof.
  intros Hs H. unfold objective. rewrite (sum_without _ (weight E r k) i s Hs H).
  rewrite (sum_without _ (weight E (set_cost r i b) k) i s Hs H).
  replace (sum (weight E (set_cost r i b) k) (without i s)) with (sum (weight E r k) (without i s)).
  - unfold weight at 1 3. unfold pen, value, data, samples, set_cost; cbn. rewrite put_same. ring.
  - apply sum_ext. intros j Hj. apply without_In in Hj as [_ Hj]. unfold weight, pen, samples, set_cost; cbn.
    now rewrite put_other.
Qed.
Lemma top_cost_absent r k i b t : ~ In i t -> top E (set_cost r i b) k t = top E r k t.
Proof. intro H. apply top_ext. intros s Hs. apply objective_cost_absent. intro F. apply H. now apply (subsets_incl _ _ Hs). Qed.
Lemma pivot_absent r k i b : top E (set_cost r i b) k (without i (others E k)) = top E r k (without i (others E k)).
Proof. apply top_cost_absent. intro F. apply without_In in F. tauto. Qed.

(** Such a rule exists: the first best set. *)
Definition first_best (r : types) (i : nat) : list nat := best E r i (others E i).
Theorem first_best_exact : exact_rule first_best.
Proof.
  split; [intros; apply best_In|reflexivity|]. intros r r' i V. apply best_ext. intros s Hs. apply objective_view; [assumption|].
  now apply subsets_incl.
Qed.

Variable sel : types -> nat -> list nat.
Hypothesis exact : exact_rule sel.
Lemma sel_incl r i : incl (sel r i) (others E i).
Proof. apply subsets_incl, (sel_in _ exact). Qed.
Lemma sel_NoDup r i : NoDup (sel r i).
Proof. apply (subsets_NoDup _ (others E i)); [apply others_NoDup|apply (sel_in _ exact)]. Qed.
Lemma sel_feasible r : feasible E (sel r).
Proof. intros i _. split; [apply sel_NoDup|apply sel_incl]. Qed.
Lemma sel_best r i s : In s (subsets (others E i)) -> objective E r i s <= objective E r i (sel r i).
Proof. rewrite (sel_top _ exact). apply top_best. Qed.
(** Any mechanism that selects exactly is efficient for the reported types. *)
Theorem exact_efficient p : efficient E (Mechanism sel p).
Proof. intros r a Ha. apply sum_le. intros i Hi. cbn. apply sel_best, Ha. apply in_seq in Hi. lia. Qed.
(** Who was not needed brings nothing: W(M) = W(M without j). *)
Lemma unchosen_pivot r k i : ~ In i (sel r k) -> top E r k (others E k) = top E r k (without i (others E k)).
Proof.
  intro F. apply (le_anti N); [|apply top_mono]. rewrite <- (sel_top _ exact). apply top_best, subsets_without; [|assumption].
  apply (sel_in _ exact).
Qed.

(** p_ij = c_j + W_i(M) - W_i(M without j). *)
Definition critical (r : types) (i j : nat) : N := cost r j + top E r i (others E i) - top E r i (without j (others E i)).
Definition ipfl_exact : mechanism N := Mechanism sel critical.

(** What i earns on its sale to k when it reports b and c is true. *)
Definition earns (r : types) (k i : nat) (c b : N) : N :=
  if mem i (sel (set_cost r i b) k) then critical (set_cost r i b) k i - c else 0.
Lemma earns_truth r k i c :
  earns r k i c c = top E (set_cost r i c) k (others E k) - top E r k (without i (others E k)).
Proof.
  unfold earns, critical. destruct (mem i (sel (set_cost r i c) k)) eqn:B.
  - rewrite pivot_absent. cbn. rewrite put_same. ring.
  - apply mem_not_In, unchosen_pivot in B. rewrite B, pivot_absent. ring.
Qed.
Lemma earns_lie r k i c b :
  earns r k i c b <= top E (set_cost r i c) k (others E k) - top E r k (without i (others E k)).
Proof.
  unfold earns, critical. rewrite pivot_absent. destruct (mem i (sel (set_cost r i b) k)) eqn:B.
  - apply mem_In in B. rewrite <- (sel_top _ exact).
    assert (H := top_best _ E (set_cost r i c) k (others E k) (sel (set_cost r i b) k) (sel_in _ exact _ _)).
    rewrite objective_cost_present in H by (try apply sel_NoDup; assumption).
    rewrite objective_cost_present by (try apply sel_NoDup; assumption).
    refine (lin1 _ _ _ _ _ H _). cbn. rewrite put_same. ring.
  - apply le_diff. rewrite <- (pivot_absent r k i c). apply top_mono.
Qed.
(** A client's purchases read its view only, so not its own cost. *)
Lemma bought_view th r r' i : same_view E r r' i -> bought E ipfl_exact th r i = bought E ipfl_exact th r' i.
Proof.
  intro V. unfold bought; cbn. rewrite (sel_view _ exact r r' i V). f_equal. apply sum_ext. intros j Hj. apply sel_incl in Hj.
  unfold critical. destruct V as (? & ? & V). destruct (V j Hj) as [-> _].
  rewrite !(top_view _ E r r' i) by (try apply incl_filter; try apply incl_refl; repeat split; auto; apply V; assumption). reflexivity.
Qed.

(** Truthful in costs, as a dominant strategy: for each importer the rule is VCG over the sellers, a seller's total is a sum
    over importers, and its own purchases do not depend on its cost.  Any gain law; all else that is said may be false. *)
Theorem ipfl_exact_dsic_cost : dsic_cost E ipfl_exact.
Proof.
  intros th r i b Hi. unfold utility.
  assert (sold E ipfl_exact th (set_cost r i b) i <= sold E ipfl_exact th (set_cost r i (cost th i)) i) as H.
  { apply sum_le. intros k _. change (earns r k i (cost th i) b <= earns r k i (cost th i) (cost th i)).
    rewrite earns_truth. apply earns_lie. }
  rewrite (bought_view th (set_cost r i b) r), (bought_view th (set_cost r i (cost th i)) r) by apply view_own_cost. slack1 H.
Qed.
(** Sellers lose nothing: W(M) >= W(M without j).  Any gain law. *)
Theorem ipfl_exact_ir_seller : ir_seller E ipfl_exact.
Proof.
  intros th r i _ _ Hi Hc. apply sum_nonneg. intros k _. cbn [ipfl_exact buys price].
  destruct (mem i (sel r k)); [|apply le_refl].
  unfold critical. rewrite Hc. assert (H := top_mono _ E r k (fun j => negb (Nat.eqb i j)) (others E k)).
  apply le_diff in H. replace (_ - _) with (top E r k (others E k) - top E r k (without i (others E k))) by ring. exact H.
Qed.
(** On the same set, a critical-value price is at most the marginal payment: any gain law, concave or not. *)
Theorem critical_marginal r i j : In j (sel r i) -> critical r i j <= marginal E r i (sel r i) j - pen E r i j.
Proof.
  intro H. unfold critical. rewrite <- (sel_top _ exact).
  assert (B : objective E r i (without j (sel r i)) <= top E r i (without j (others E i))).
  { apply top_best, subsets_filter, (sel_in _ exact). }
  refine (lin1 _ _ _ _ _ B _). unfold marginal, objective.
  rewrite (sum_without _ (weight E r i) j (sel r i) (sel_NoDup r i) H). unfold weight at 1. ring.
Qed.
(** Buyers lose nothing where the law has falling increments and their data are as reported. *)
Theorem ipfl_exact_ir_buyer : falling E -> starts_at_zero E -> ir_buyer E ipfl_exact.
Proof.
  intros F Z. apply at_most_marginal_ir_buyer; [assumption|assumption|apply sel_feasible|].
  intros r i j VM V Hi Hj. cbn [ipfl_exact buys price] in *. apply (le_trans _ _ _ _ (critical_marginal r i j Hj)).
  apply sel_incl, others_In in Hj. pose proof (pen_nonneg _ E r i j VM V Hi ltac:(tauto)) as P. slack1 P.
Qed.
Theorem ipfl_exact_ir : falling E -> starts_at_zero E -> ir E ipfl_exact.
Proof. intros F Z. apply ir_parts; [now apply ipfl_exact_ir_buyer|apply ipfl_exact_ir_seller]. Qed.
Theorem ipfl_exact_balanced : balanced E ipfl_exact.
Proof. apply bilateral_balance, sel_feasible. Qed.
Theorem ipfl_exact_efficient : efficient E ipfl_exact.
Proof. apply exact_efficient. Qed.
(** A seller that asks more sells no more. *)
Theorem exact_monotone p : monotone E (Mechanism sel p).
Proof.
  intros r i k b _ _ Hb. cbn. intro B. destruct (in_dec Nat.eq_dec i (sel r k)) as [T|T]; [assumption|exfalso].
  pose proof (sel_best (set_cost r i b) k (sel r k) (sel_in _ exact r k)) as H.
  pose proof (sel_best r k (sel (set_cost r i b) k) (sel_in _ exact _ k)) as H'.
  rewrite (objective_cost_absent r k i b _ T), (objective_cost_present r k i b _ (sel_NoDup _ _) B) in H.
  apply (lt_not_le _ _ _ Hb). slack2 H H'.
Qed.
(** On effective data a seller's size report does nothing to what it sells, and a seller whose model is worth nothing
    to anybody, and whose cost is positive, exports nothing where the penalties are not negative. *)
Theorem ipfl_exact_size_idle th r i n : measured E -> sold E ipfl_exact th (set_size r i n) i = sold E ipfl_exact th r i.
Proof.
  intro M. apply sum_ext. intros k Hk. apply others_In in Hk as [_ D]. cbn [ipfl_exact buys price].
  assert (V : same_view E (set_size r i n) r k) by (apply view_other_size; auto).
  rewrite (sel_view _ exact _ _ _ V). unfold critical.
  rewrite !(top_view _ E (set_size r i n) r k) by (auto; try apply incl_filter; apply incl_refl). reflexivity.
Qed.
Theorem worthless_sells_nothing r k j : 0 < cost r j -> samples E r k j = 0 -> size r k <> 0 -> ~ In j (sel r k).
Proof.
  intros Hc He Hn F. assert (B := sel_best r k (without j (sel r k)) (subsets_filter_sub _ _ _ (subsets_filter (fun i => negb (Nat.eqb j i)) _ _ (sel_in _ exact r k)))).
  assert (W : weight E r k j = cost r j) by (unfold weight, pen; rewrite He; field; assumption).
  apply (lt_not_le _ _ _ Hc). refine (lin1 _ _ _ _ _ B _). unfold objective, value, data.
  rewrite !(sum_without _ _ j (sel r k) (sel_NoDup r k) F), W, He.
  replace (0 + sum (samples E r k) (without j (sel r k))) with (sum (samples E r k) (without j (sel r k))) by ring. ring.
Qed.
End Exact.
