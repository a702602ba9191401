(** * posted-price: prices from verified sizes only; each importer's best set among the sellers that are willing

    The penalty is not subtracted: with it a buyer would be steered away from its own best set. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Parts.
Import ListNotations.

Section Posted.
Variable N : num.
Add Field field_posted : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
(** p_ij, from the sizes: of no cost and of no gain. *)
Variable p : (nat -> N) -> nat -> nat -> N.
Notation types := (types N).

Definition willing (r : types) (i : nat) : list nat := filter (fun j => leb (cost r j) (p (size r) i j)) (others E i).
Definition surplus (r : types) (i : nat) (s : list nat) : N := value E r i s - sum (p (size r) i) s.
(** The best set of the willing, ties broken by anything but reported costs (beyond who is willing) and others' gains. *)
Record posted_rule (sel : types -> nat -> list nat) : Prop := PostedRule {
  post_in : forall r i, In (sel r i) (subsets (willing r i));
  post_top : forall r i s, In s (subsets (willing r i)) -> surplus r i s <= surplus r i (sel r i);
  post_reads : forall r r' i, willing r i = willing r' i -> (forall j, size r j = size r' j) -> gain r i = gain r' i ->
    sel r i = sel r' i }.
(** Such a rule exists wherever prices and credited samples are those of the sizes, whatever the function that holds them. *)
Definition post_first (r : types) (i : nat) : list nat := argmax (surplus r i) [] (subsets (willing r i)).
Definition reads_numbers : Prop := forall n n', (forall j, n j = n' j) -> forall i j, p n i j = p n' i j /\ credit E n i j = credit E n' i j.
Theorem post_first_rule : reads_numbers -> posted_rule post_first.
Proof.
  intro R. split.
  - intros r i. unfold post_first. destruct (argmax_In _ (surplus r i) [] (subsets (willing r i))) as [H|H]; [rewrite <- H; apply subsets_nil|exact H].
  - intros r i s H. apply argmax_best. now right.
  - intros r r' i W Hn HK. unfold post_first. rewrite W. apply argmax_ext. intros s _. unfold surplus, value, data, samples.
    rewrite Hn, HK. f_equal; [f_equal; f_equal|]; apply sum_ext; intros j _; now apply R.
Qed.

Variable sel : types -> nat -> list nat.
Hypothesis rule : posted_rule sel.
Definition posted : mechanism N := Mechanism sel (fun r => p (size r)).

Lemma post_incl r i : incl (sel r i) (others E i).
Proof. intros j Hj. apply (subsets_incl _ _ (post_in _ rule r i)) in Hj. now apply filter_In in Hj. Qed.
Lemma post_willing r i j : In j (sel r i) -> cost r j <= p (size r) i j.
Proof. intro Hj. apply (subsets_incl _ _ (post_in _ rule r i)) in Hj. now apply filter_In in Hj. Qed.
Lemma post_feasible r : feasible E (sel r).
Proof.
  intros i _. split; [|apply post_incl]. apply (subsets_NoDup _ (willing r i)); [apply NoDup_filter, others_NoDup|apply (post_in _ rule)].
Qed.
Lemma posted_own_cost : purchases_ignore_cost E posted.
Proof.
  intros th r i b _. unfold bought; cbn. rewrite (post_reads _ rule (set_cost r i b) r i); [reflexivity| |reflexivity|reflexivity].
  apply filter_ext_in. intros j Hj. cbn. apply others_In in Hj. now rewrite put_other.
Qed.
(** The price is not i's to move: saying more than it loses sales at a price above cost, saying less wins sales below it. *)
Lemma posted_sells : sells_truthfully E posted.
Proof.
  intros th r i b _. apply sum_le. intros k Hk. cbn [posted buys price]. cbn [set_cost size].
  destruct (mem i (sel (set_cost r i b) k)) eqn:B; destruct (mem i (sel (set_cost r i (cost th i)) k)) eqn:T;
    try apply le_refl.
  - destruct (leb (cost th i) (p (size r) k i)) eqn:L.
    + exfalso. apply mem_In in B. pose proof (post_willing _ _ _ B) as W. cbn in W. rewrite put_same in W.
      assert (sel (set_cost r i b) k = sel (set_cost r i (cost th i)) k) as Eq.
      { apply (post_reads _ rule); [|reflexivity|reflexivity]. apply filter_ext_in.
        intros j _. cbn. unfold put. destruct (Nat.eqb_spec j i); [subst; now rewrite L|reflexivity]. }
      rewrite Eq in B. apply mem_In in B. congruence.
    + apply leb_total in L. slack1 L.
  - apply mem_In, post_willing in T. cbn in T. rewrite put_same in T. slack1 T.
Qed.
Lemma posted_gain_idle : sales_ignore_gain E posted.
Proof.
  intros th r i b Hi. apply sum_ext. intros k Hk. cbn [posted buys price]. apply others_In in Hk.
  replace (sel (set_gain r i b) k) with (sel r k); [reflexivity|].
  apply (post_reads _ rule); [reflexivity|reflexivity|]. cbn. now rewrite put_other.
Qed.
Lemma posted_buys : buys_truthfully E posted.
Proof.
  intros th r i b Hi D. set (t := set_gain r i (gain th i)).
  assert (H : surplus t i (sel (set_gain r i b) i) <= surplus t i (sel t i)) by apply (post_top _ rule), (post_in _ rule).
  assert (V : forall s, value E th i s = value E t i s).
  { intro s. symmetry. apply value_true; [exact D|]. cbn. apply put_same. }
  unfold bought. cbn [posted buys price]. rewrite !V. exact H.
Qed.

(** Truthful in costs, whatever else is said. *)
Theorem posted_dsic_cost : dsic_cost E posted.
Proof. apply parts_dsic_cost; [exact posted_sells|exact posted_own_cost]. Qed.
(** Truthful in gains, on data as reported; and in cost and gain at once. *)
Theorem posted_dsic_gain : dsic_gain E posted.
Proof. apply parts_dsic_gain; [exact posted_gain_idle|exact posted_buys]. Qed.
Theorem posted_dsic_cost_gain : dsic_cost_gain E posted.
Proof. apply parts_dsic_cost_gain; [exact posted_sells|exact posted_own_cost|exact posted_gain_idle|exact posted_buys]. Qed.
Theorem posted_ir_seller : ir_seller E posted.
Proof.
  intros th r i _ _ Hi Hc. apply sum_nonneg. intros k _. cbn [posted buys price]. rewrite <- Hc.
  destruct (mem i (sel r k)) eqn:B; [|apply le_refl]. apply mem_In, post_willing in B. now apply le_diff.
Qed.
Theorem posted_ir_buyer : starts_at_zero E -> ir_buyer E posted.
Proof.
  intros Z th r i VM V Hi D HK. destruct (V i Hi) as (Hs & _ & Hg).
  assert (H := post_top _ rule r i [] (subsets_nil _)).
  assert (Z0 : surplus r i [] = 0).
  { unfold surplus, value, data; cbn. replace (size r i + 0) with (size r i) by ring. rewrite Z by assumption. ring. }
  rewrite Z0 in H. unfold bought; cbn. now rewrite <- (value_true _ E th r i _ D HK).
Qed.
Theorem posted_ir : starts_at_zero E -> ir E posted.
Proof. intro Z. apply ir_parts; [now apply posted_ir_buyer|exact posted_ir_seller]. Qed.
Theorem posted_monotone : monotone E posted.
Proof.
  intros r i k b _ _ Hb. cbn. intro B. pose proof (post_willing _ _ _ B) as W. cbn in W. rewrite put_same in W.
  replace (sel r k) with (sel (set_cost r i b) k); [assumption|]. apply (post_reads _ rule); [|reflexivity|reflexivity].
  apply filter_ext_in. intros j _. cbn. unfold put. destruct (Nat.eqb_spec j i) as [->|]; [|reflexivity].
  unfold le in W. rewrite W. symmetry. apply (le_trans _ _ b); [now apply lt_le|assumption].
Qed.
Theorem posted_balanced : balanced E posted.
Proof. apply bilateral_balance, post_feasible. Qed.
End Posted.
