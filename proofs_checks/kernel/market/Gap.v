(** * ipfl-exact solved to a gap

    A selection that stops early misses W_k(M) by at most eps_k, and so does what is taken for W_k(M without j). *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact.

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
End Gap.
