(** * vcg-two-sided: everyone pays its pivot to a centre

    Importer i pays the centre w_ij for each import; the centre pays j c_j + W_k(M) - W_k(M without j) for each sale to k.
    The penalties are a public bias of the choice that the importer pays. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact.

Section TwoSided.
Variable N : num.
Add Field field_two : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable sel : types N -> nat -> list nat.
Hypothesis exact : exact_rule N E sel.
Notation types := (types N).

Definition two_bought (th r : types) (i : nat) : N := value E th i (sel r i) - sum (weight E r i) (sel r i).
Definition two_utility (th r : types) (i : nat) : N := two_bought th r i + sold E (ipfl_exact N E sel) th r i.
(** What the centre keeps. *)
Definition centre (r : types) : N :=
  sum (fun i => sum (weight E r i) (sel r i) - received E (ipfl_exact N E sel) r i) (seq 0 (clients E)).

Lemma two_bought_view th r r' i : same_view E r r' i -> two_bought th r i = two_bought th r' i.
Proof.
  intro V. unfold two_bought. rewrite (sel_view _ _ _ exact _ _ _ V). f_equal. apply sum_ext. intros j Hj.
  apply weight_view; [assumption|]. now apply (sel_incl N E sel exact) in Hj.
Qed.
Lemma two_sold_gain th r i b : sold E (ipfl_exact N E sel) th (set_gain r i b) i = sold E (ipfl_exact N E sel) th r i.
Proof.
  apply sum_ext. intros k Hk. apply others_In in Hk as [_ D]. cbn [ipfl_exact buys price].
  assert (V : same_view E (set_gain r i b) r k) by (apply view_other_gain; auto).
  rewrite (sel_view _ _ _ exact _ _ _ V). unfold critical.
  rewrite !(top_view _ E (set_gain r i b) r k) by (auto; try apply incl_filter; apply incl_refl). reflexivity.
Qed.
Lemma two_sold_cost th r i b :
  sold E (ipfl_exact N E sel) th (set_cost r i b) i <= sold E (ipfl_exact N E sel) th (set_cost r i (cost th i)) i.
Proof.
  apply sum_le. intros k _. change (earns N E sel r k i (cost th i) b <= earns N E sel r k i (cost th i) (cost th i)).
  rewrite (earns_truth N E sel exact). apply (earns_lie N E sel exact).
Qed.
(** What i keeps of its purchases is V_i at its true gain: the best set at the truth is the best. *)
Lemma two_bought_gain th r i b : as_reported E th r i -> two_bought th (set_gain r i b) i <= two_bought th (set_gain r i (gain th i)) i.
Proof.
  intro D. set (t := set_gain r i (gain th i)).
  assert (V : forall s, value E th i s = value E t i s) by (intro s; symmetry; apply value_true; [exact D|apply put_same]).
  unfold two_bought. rewrite !V. change (sum (weight E (set_gain r i b) i) (sel (set_gain r i b) i)) with (sum (weight E t i) (sel (set_gain r i b) i)).
  apply (sel_best N E sel exact t i). apply (sel_in _ _ _ exact).
Qed.
(** Truthful in costs; in gains and in both at once on data as reported. *)
Theorem two_sided_dsic_cost th r i b : two_utility th (set_cost r i b) i <= two_utility th (set_cost r i (cost th i)) i.
Proof.
  unfold two_utility. rewrite (two_bought_view th (set_cost r i b) r), (two_bought_view th (set_cost r i (cost th i)) r) by apply view_own_cost.
  pose proof (two_sold_cost th r i b) as H. slack1 H.
Qed.
Theorem two_sided_dsic_gain th r i b : as_reported E th r i -> two_utility th (set_gain r i b) i <= two_utility th (set_gain r i (gain th i)) i.
Proof. intro D. unfold two_utility. rewrite !two_sold_gain. pose proof (two_bought_gain th r i b D) as H. slack1 H. Qed.
Theorem two_sided_dsic_cost_gain th r i c k : as_reported E th r i ->
  two_utility th (set_gain (set_cost r i c) i k) i <= two_utility th (set_gain (set_cost r i (cost th i)) i (gain th i)) i.
Proof.
  intro D. apply (le_trans N _ (two_utility th (set_gain (set_cost r i c) i (gain th i)) i)); [now apply two_sided_dsic_gain|].
  apply (two_sided_dsic_cost th (set_gain r i (gain th i)) i c).
Qed.
(** U_i = W_i(M) + sum over k of W_k(M) - W_k(M without i) at the truth, so nobody loses. *)
Theorem two_sided_ir_buyer th r i : starts_at_zero E -> valid E r -> (i < clients E)%nat -> as_reported E th r i -> gain r i = gain th i ->
  0 <= two_bought th r i.
Proof.
  intros Z V Hi D HK. unfold two_bought. rewrite <- (value_true _ E th r i _ D HK). destruct (V i Hi) as (Hn & _ & Hk).
  pose proof (sel_best N E sel exact r i nil (subsets_nil _)) as H. unfold objective in H. cbn [sum] in H.
  replace (value E r i nil) with (@zero N) in H.
  - now replace (0 - 0) with (@zero N) in H by ring.
  - unfold value, data. cbn. replace (size r i + 0) with (size r i) by ring. now rewrite Z.
Qed.
Theorem two_sided_ir th r i : starts_at_zero E -> valid E r -> (i < clients E)%nat -> as_reported E th r i -> gain r i = gain th i ->
  cost r i = cost th i -> valid_market E -> 0 <= two_utility th r i.
Proof.
  intros Z V Hi D HK Hc VM. apply add_nonneg; [now apply two_sided_ir_buyer|now apply ipfl_exact_ir_seller].
Qed.
(** The centre keeps the penalties and gives up what each seller was needed for ... *)
Theorem two_sided_centre r : centre r =
  sum (fun i => sum (fun j => pen E r i j - (top E r i (others E i) - top E r i (without j (others E i)))) (sel r i)) (seq 0 (clients E)).
Proof.
  unfold centre. rewrite sum_sub. unfold received. cbn [ipfl_exact buys price].
  rewrite <- (trade_swap _ E (sel r) (critical N E r)) by now apply sel_feasible. rewrite <- sum_sub.
  apply sum_ext. intros i _. rewrite <- sum_sub. apply sum_ext. intros j _. unfold weight, critical. ring.
Qed.
(** ... so that without a penalty it never has a surplus, *)
Theorem two_sided_no_surplus r : lam E = 0 -> (forall i, (i < clients E)%nat -> size r i <> 0) -> centre r <= 0.
Proof.
  intros L Hn. rewrite two_sided_centre. apply (le_trans N _ (sum (fun _ => 0) (seq 0 (clients E)))); [|apply le_eq, sum_zero].
  apply sum_le. intros i Hi. apply in_seq in Hi. apply (le_trans N _ (sum (fun _ => 0) (sel r i))); [|apply le_eq, sum_zero].
  apply sum_le. intros j _. assert (P : pen E r i j = 0) by (unfold pen; rewrite L; field; apply Hn; lia). rewrite P.
  pose proof (top_mono _ E r i (fun k => negb (Nat.eqb j k)) (others E i)) as M.
  change (filter _ (others E i)) with (without j (others E i)) in M. slack1 M.
Qed.
(** and a deficit as soon as a seller that trades is pivotal. *)
Theorem two_sided_deficit r i j : lam E = 0 -> (forall i, (i < clients E)%nat -> size r i <> 0) -> (i < clients E)%nat -> In j (sel r i) ->
  top E r i (without j (others E i)) < top E r i (others E i) -> centre r < 0.
Proof.
  intros L Hn Hi Hj Hp. rewrite two_sided_centre. set (g := fun i j => pen E r i j - (top E r i (others E i) - top E r i (without j (others E i)))).
  assert (G : forall a b, (a < clients E)%nat -> g a b <= 0).
  { intros a b Ha. unfold g. assert (P : pen E r a b = 0) by (unfold pen; rewrite L; field; now apply Hn). rewrite P.
    pose proof (top_mono _ E r a (fun k => negb (Nat.eqb b k)) (others E a)) as M.
    change (filter _ (others E a)) with (without b (others E a)) in M. slack1 M. }
  assert (S : forall a, (a < clients E)%nat -> sum (g a) (sel r a) <= 0).
  { intros a Ha. apply (le_trans N _ (sum (fun _ => 0) (sel r a))); [|apply le_eq, sum_zero]. apply sum_le. intros; now apply G. }
  change (sum (fun a => sum (g a) (sel r a)) (seq 0 (clients E)) < 0).
  assert (Ii : In i (seq 0 (clients E))) by (apply in_seq; lia).
  rewrite (sum_without _ (fun a => sum (g a) (sel r a)) i _ (seq_NoDup _ _) Ii), (sum_without _ (g i) j _ (sel_NoDup N E sel exact r i) Hj).
  assert (A : sum (g i) (without j (sel r i)) <= 0).
  { apply (le_trans N _ (sum (fun _ => 0) (without j (sel r i)))); [|apply le_eq, sum_zero]. apply sum_le. intros; now apply G. }
  assert (B : sum (fun a => sum (g a) (sel r a)) (without i (seq 0 (clients E))) <= 0).
  { apply (le_trans N _ (sum (fun _ => 0) (without i (seq 0 (clients E))))); [|apply le_eq, sum_zero].
    apply sum_le. intros a Ha. apply without_In in Ha as [Ha _]. apply in_seq in Ha. apply S. lia. }
  destruct (le_or_lt N 0 (g i j + sum (g i) (without j (sel r i)) + sum (fun a => sum (g a) (sel r a)) (without i (seq 0 (clients E))))) as [F|F]; [|exact F].
  exfalso. apply (lt_not_le _ _ _ Hp). assert (P : pen E r i j = 0) by (unfold pen; rewrite L; field; now apply Hn).
  assert (F' : 0 <= g i j) by (slack3 F A B). unfold g in F'. rewrite P in F'. slack1 F'.
Qed.
End TwoSided.
