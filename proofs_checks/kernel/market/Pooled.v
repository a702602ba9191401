(** * pooled-price: the k cheapest suppliers, each offered the cost of the next; the importer's best set at that price

    A supplier of i is another client with e_ij > 0 (in the plain market: everybody else).  Inside the pool no report moves
    price or choice; entering it otherwise pays at most one's cost; own gain and size move neither pool nor price. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market market.Facts market.Parts.
Import ListNotations.

Section Pooled.
Variable N : num.
Add Field field_pooled : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable width : nat -> nat. (** how many an importer's pool holds *)
Notation types := (types N).

Definition suppliers (r : types) (k : nat) : list nat := filter (fun j => negb (leb (samples E r k j) 0)) (others E k).
(** Price and pool; no pool without a next one. *)
Definition offer (r : types) (k : nat) : option (N * list nat) :=
  match next N (cost r) (suppliers r k) (width k) with
  | Some j => Some (cost r j, pool N (cost r) (suppliers r k) (width k)) | None => None end.
Definition pool_price (r : types) (k : nat) (_ : nat) : N := match offer r k with Some (z, _) => z | None => 0 end.
Definition offered (r : types) (k : nat) : list nat := match offer r k with Some (_, l) => l | None => [] end.
Definition pool_surplus (r : types) (k : nat) (s : list nat) : N := value E r k s - sum (pool_price r k) s.
(** The best set of the pool, ties broken by anything but costs beyond the offer and other clients' gains. *)
Record pooled_rule (sel : types -> nat -> list nat) : Prop := PooledRule {
  pool_in : forall r k, In (sel r k) (subsets (offered r k));
  pool_top : forall r k s, In s (subsets (offered r k)) -> pool_surplus r k s <= pool_surplus r k (sel r k);
  pool_reads : forall r r' k, offer r k = offer r' k -> size r k = size r' k -> (forall j, samples E r k j = samples E r' k j) ->
    gain r k = gain r' k -> sel r k = sel r' k }.
Definition pool_first (r : types) (k : nat) : list nat := argmax (pool_surplus r k) [] (subsets (offered r k)).
Theorem pool_first_rule : pooled_rule pool_first.
Proof.
  split.
  - intros r i. unfold pool_first. destruct (argmax_In _ (pool_surplus r i) [] (subsets (offered r i))) as [H|H]; [rewrite <- H; apply subsets_nil|exact H].
  - intros r i s H. apply argmax_best. now right.
  - intros r r' i O Hn He HK. unfold pool_first, offered. rewrite O. apply argmax_ext. intros s _.
    unfold pool_surplus, pool_price, value, data. rewrite O, Hn, HK. f_equal. f_equal. f_equal. now apply sum_ext.
Qed.
Variable sel : types -> nat -> list nat.
Hypothesis rule : pooled_rule sel.
Definition pooled : mechanism N := Mechanism sel pool_price.

Lemma suppliers_NoDup r k : NoDup (suppliers r k).
Proof. apply NoDup_filter, others_NoDup. Qed.
Lemma suppliers_incl r k : incl (suppliers r k) (others E k).
Proof. apply incl_filter. Qed.
Lemma suppliers_ext r r' k : (forall j, samples E r k j = samples E r' k j) -> suppliers r k = suppliers r' k.
Proof. intro H. apply filter_ext. intro j. now rewrite H. Qed.
Lemma offered_incl r k : incl (offered r k) (suppliers r k).
Proof. unfold offered, offer. destruct (next _ _ _ _); [apply incl_filter|intros j []]. Qed.
Lemma pool_incl r k : incl (sel r k) (suppliers r k).
Proof. intros j Hj. apply offered_incl. now apply (subsets_incl _ _ (pool_in _ rule r k)). Qed.
Lemma offered_NoDup r k : NoDup (offered r k).
Proof. unfold offered, offer. destruct (next _ _ _ _); [apply NoDup_filter, suppliers_NoDup|constructor]. Qed.
Lemma pool_feasible r : feasible E (sel r).
Proof.
  intros i _. split; [apply (subsets_NoDup _ _ (offered_NoDup r i)), (pool_in _ rule)|].
  intros j Hj. now apply (suppliers_incl r), pool_incl.
Qed.
Lemma sells r k i : In i (sel r k) -> exists j, next N (cost r) (suppliers r k) (width k) = Some j /\
  In i (pool N (cost r) (suppliers r k) (width k)) /\ pool_price r k i = cost r j.
Proof.
  intro H. apply (subsets_incl _ _ (pool_in _ rule r k)) in H. unfold offered, pool_price, offer in *.
  destruct (next _ _ _ _) as [j|]; [|destruct H]. eauto.
Qed.
(** The offer to i reads others' costs only. *)
Lemma offer_ext r r' i : (forall j, samples E r i j = samples E r' i j) -> (forall j, In j (others E i) -> cost r j = cost r' j) -> offer r i = offer r' i.
Proof.
  intros He Hc. unfold offer. rewrite (suppliers_ext r r' i He).
  assert (H : forall j, In j (suppliers r' i) -> cost r j = cost r' j) by (intros j Hj; now apply Hc, (suppliers_incl r')).
  rewrite (next_ext N _ (cost r') _ _ H), (pool_ext N _ (cost r') _ _ H).
  destruct (next _ _ _ _) as [j|] eqn:F; [|reflexivity]. apply next_spec in F as [F _]. now rewrite H.
Qed.
Lemma pooled_own_cost : purchases_ignore_cost E pooled.
Proof.
  intros th r i b _. assert (O : offer (set_cost r i b) i = offer r i).
  { apply offer_ext; [reflexivity|]. intros j Hj. cbn. apply others_In in Hj. now apply put_other. }
  unfold bought. cbn [pooled buys price]. rewrite (pool_reads _ rule (set_cost r i b) r i O) by reflexivity.
  f_equal. apply sum_ext. intros j _. unfold pool_price. now rewrite O.
Qed.
Lemma pooled_sells : sells_truthfully E pooled.
Proof.
  intros th r i b _. apply sum_le. intros k Hk. cbn [pooled buys price].
  set (l := suppliers r k). assert (Hl : NoDup l) by apply suppliers_NoDup.
  destruct (in_dec Nat.eq_dec i l) as [Hi|Hi].
  2:{ assert (forall c, mem i (sel (set_cost r i c) k) = false) as M.
      { intro c. apply mem_not_In. intro F. apply Hi. exact (pool_incl (set_cost r i c) k _ F). }
      rewrite !M. apply le_refl. }
  assert (A : forall b c j, j <> i -> put (cost r) i b j = put (cost r) i c j) by (intros; now rewrite !put_other).
  destruct (mem i (sel (set_cost r i (cost th i)) k)) eqn:T; destruct (mem i (sel (set_cost r i b) k)) eqn:L; try apply le_refl.
  - apply mem_In, sells in T, L. destruct T as (j & T1 & T2 & ->), L as (j' & L1 & L2 & ->). cbn [set_cost cost] in *.
    change (suppliers (set_cost r i (cost th i)) k) with l in *. change (suppliers (set_cost r i b) k) with l in *.
    destruct (pool_same N l _ i _ _ Hl Hi (A _ _) _ _ T2 T1 L2 L1) as [<- _]. destruct (in_pool N l _ i Hl Hi _ _ T2 T1) as (Hj & _).
    apply without_In in Hj. rewrite !put_other by tauto. apply le_refl.
  - apply mem_In, sells in T. destruct T as (j & T1 & T2 & ->). cbn [set_cost cost] in *.
    destruct (in_pool N l _ i Hl Hi _ _ T2 T1) as (_ & _ & C). apply andb_true_iff in C as [C _].
    rewrite put_same in C. now apply le_diff.
  - pose proof L as L0. apply mem_In, sells in L. destruct L as (j & L1 & L2 & ->). cbn [set_cost cost] in *.
    change (suppliers (set_cost r i b) k) with l in *.
    destruct (in_pool N l _ i Hl Hi _ _ L2 L1) as (Hj & Rj & _). pose proof Hj as Hj'. apply without_In in Hj' as [_ D]. rewrite put_other by assumption.
    destruct (cheaper N (put (cost r) i (cost th i)) i j) eqn:C.
    + exfalso. destruct (enters N l (width k) i _ _ Hl Hi (A (cost th i) b) j Hj Rj C) as [P X].
      destruct (pool_same N l _ i _ _ Hl Hi (A _ _) _ _ P X L2 L1) as [_ PP].
      assert (sel (set_cost r i b) k = sel (set_cost r i (cost th i)) k) as Eq.
      { apply (pool_reads _ rule); [|reflexivity|reflexivity|reflexivity]. unfold offer. cbn [set_cost cost].
        change (suppliers (set_cost r i (cost th i)) k) with l. change (suppliers (set_cost r i b) k) with l.
        rewrite X, L1, PP. now rewrite !put_other. }
      rewrite Eq in L0. congruence.
    + apply cheaper_total in C; [|congruence]. apply andb_true_iff in C as [C _]. rewrite put_same, put_other in C by assumption.
      slack1 C.
Qed.
Lemma pooled_gain_idle : sales_ignore_gain E pooled.
Proof.
  intros th r i b Hi. apply sum_ext. intros k Hk. cbn [pooled buys price]. apply others_In in Hk.
  replace (sel (set_gain r i b) k) with (sel r k); [reflexivity|].
  apply (pool_reads _ rule); [reflexivity|reflexivity|reflexivity|]. cbn. now rewrite put_other.
Qed.
(** Own gain and size move neither pool nor price, only the choice, which truth makes best. *)
Lemma best_at_truth th t i r : as_reported E th t i -> gain t i = gain th i -> offer r i = offer t i -> bought E pooled th r i <= bought E pooled th t i.
Proof.
  intros D HK O. assert (H : pool_surplus t i (sel r i) <= pool_surplus t i (sel t i)).
  { apply (pool_top _ rule). unfold offered. rewrite <- O. exact (pool_in _ rule r i). }
  unfold bought. cbn [pooled buys price]. rewrite <- !(value_true _ E th t i _ D HK). unfold pool_surplus in H.
  replace (sum (pool_price r i) (sel r i)) with (sum (pool_price t i) (sel r i)); [exact H|].
  apply sum_ext. intros. unfold pool_price. now rewrite O.
Qed.
Lemma pooled_buys : buys_truthfully E pooled.
Proof. intros th r i b Hi D. apply best_at_truth; [exact D|cbn; apply put_same|]. now apply offer_ext. Qed.

(** Truthful in costs, and in gains on data as reported, one at a time and both at once: plain or effective data. *)
Theorem pooled_dsic_cost : dsic_cost E pooled.
Proof. apply parts_dsic_cost; [exact pooled_sells|exact pooled_own_cost]. Qed.
Theorem pooled_dsic_gain : dsic_gain E pooled.
Proof. apply parts_dsic_gain; [exact pooled_gain_idle|exact pooled_buys]. Qed.
Theorem pooled_dsic_cost_gain : dsic_cost_gain E pooled.
Proof. apply parts_dsic_cost_gain; [exact pooled_sells|exact pooled_own_cost|exact pooled_gain_idle|exact pooled_buys]. Qed.

(** On effective data: truthful in cost, gain and size, all three at once, whatever the others report. *)
Lemma pooled_size_idle : measured E -> sales_ignore_size E pooled.
Proof.
  intros M th r i n Hi. apply sum_ext. intros k Hk. cbn [pooled buys price]. apply others_In in Hk as [_ D].
  assert (O : offer (set_size r i n) k = offer r k) by (apply offer_ext; [intro; apply M|reflexivity]).
  rewrite (pool_reads _ rule (set_size r i n) r k O); [|cbn; apply put_other; auto|intro; apply M|reflexivity].
  unfold pool_price. now rewrite O.
Qed.
Lemma pooled_buys_size : measured E -> buys_truthfully_size E pooled.
Proof.
  intros M th r i k n Hi. apply best_at_truth; [|cbn; apply put_same|].
  - split; [cbn; apply put_same|intro; apply M].
  - apply offer_ext; [intro; apply M|reflexivity].
Qed.
Theorem pooled_dsic : measured E -> dsic E pooled.
Proof.
  intro M. apply parts_dsic; [exact pooled_sells|exact pooled_own_cost|exact pooled_gain_idle|now apply pooled_size_idle|now apply pooled_buys_size].
Qed.
Theorem pooled_dsic_size : measured E -> dsic_size E pooled.
Proof. intro M. now apply dsic_size_of_dsic, pooled_dsic. Qed.

(** Nobody loses: a seller is paid at least its cost, a buyer may buy nothing.  Any gain law that starts at zero. *)
Theorem pooled_ir_seller : ir_seller E pooled.
Proof.
  intros th r i _ _ Hi Hc. apply sum_nonneg. intros k _. cbn [pooled buys price]. rewrite <- Hc.
  destruct (mem i (sel r k)) eqn:B; [|apply le_refl]. apply mem_In in B. pose proof B as B'. apply pool_incl in B'.
  apply sells in B. destruct B as (j & B1 & B2 & ->).
  destruct (in_pool N _ _ i (suppliers_NoDup r k) B' _ _ B2 B1) as (_ & _ & C). apply andb_true_iff in C as [C _]. now apply le_diff.
Qed.
Theorem pooled_ir_buyer : starts_at_zero E -> ir_buyer E pooled.
Proof.
  intros Z th r i VM V Hi D HK. destruct (V i Hi) as (Hs & _ & Hg).
  assert (H := pool_top _ rule r i [] (subsets_nil _)).
  assert (Z0 : pool_surplus r i [] = 0).
  { unfold pool_surplus, value, data; cbn. replace (size r i + 0) with (size r i) by ring. rewrite Z by assumption. ring. }
  rewrite Z0 in H. unfold bought; cbn. now rewrite <- (value_true _ E th r i _ D HK).
Qed.
Theorem pooled_ir : starts_at_zero E -> ir E pooled.
Proof. intro Z. apply ir_parts; [now apply pooled_ir_buyer|exact pooled_ir_seller]. Qed.
(** A seller that asks more sells no more: asking less, it stays in the pool at the same price. *)
Theorem pooled_monotone : monotone E pooled.
Proof.
  intros r i k b _ _ Hb. cbn. intro B. pose proof (pool_incl _ _ _ B) as Hi. change (suppliers (set_cost r i b) k) with (suppliers r k) in Hi.
  pose proof B as S. apply sells in S as (j & L1 & L2 & _). cbn [set_cost cost] in *. change (suppliers (set_cost r i b) k) with (suppliers r k) in *.
  set (l := suppliers r k) in *. assert (Hl : NoDup l) by apply suppliers_NoDup.
  destruct (in_pool N l _ i Hl Hi _ _ L2 L1) as (Hj & Rj & C). pose proof Hj as Hj'. apply without_In in Hj' as [_ D].
  assert (A : forall h, h <> i -> cost r h = put (cost r) i b h) by (intros; now rewrite put_other).
  assert (C' : cheaper N (cost r) i j = true).
  { destruct (cheaper N (cost r) i j) eqn:F; [reflexivity|exfalso]. apply cheaper_total in F; [|congruence].
    apply andb_true_iff in C as [C _], F as [F _]. rewrite put_same, put_other in C by assumption.
    apply (lt_not_le _ _ _ Hb). now apply (le_trans _ _ (cost r j)). }
  destruct (enters N l (width k) i _ _ Hl Hi A j Hj Rj C') as [P X].
  destruct (pool_same N l _ i _ _ Hl Hi A _ _ P X L2 L1) as [_ PP].
  replace (sel r k) with (sel (set_cost r i b) k); [assumption|].
  apply (pool_reads _ rule); [|reflexivity|reflexivity|reflexivity]. unfold offer. cbn [set_cost cost].
  change (suppliers (set_cost r i b) k) with l. rewrite L1. fold l. rewrite X, PP. now rewrite put_other.
Qed.
Theorem pooled_balanced : balanced E pooled.
Proof. apply bilateral_balance, pool_feasible. Qed.
End Pooled.
