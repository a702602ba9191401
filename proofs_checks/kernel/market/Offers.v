(** * Sellers on offer at prices that they do not move

    What posted, pooled and clock prices have in common: importer k is offered some sellers, each at a price, and takes its best set
    of them, the penalty not subtracted.  Stated of any offers that are [fair]: own reports do not move one's own offers; while i is on
    offer to k, what it says moves neither k's other offers nor any price; it is not on offer below its cost, and where it is
    not, it could be only at most at its cost.  Then truth is best in cost and gain, and in size where no report moves data. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.
Import ListNotations.

Section Offers.
Variable N : num.
Add Field field_offers : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable offered : types N -> nat -> list nat.
Variable asked : types N -> nat -> nat -> N.
Notation types := (types N).

Definition surplus_at (r : types) (k : nat) (s : list nat) : N := value E r k s - sum (asked r k) s.
(** A set of those on offer that misses a best one by at most eps, ties broken by the offers and the importer's own problem,
    and by nothing else. *)
Record offers_within (eps : nat -> N) (sel : types -> nat -> list nat) : Prop := OffersWithin {
  offer_in : forall r k, In (sel r k) (subsets (offered r k));
  offer_near : forall r k s, In s (subsets (offered r k)) -> surplus_at r k s <= surplus_at r k (sel r k) + eps k;
  offer_reads : forall r r' k, offered r k = offered r' k -> (forall j, In j (offered r k) -> asked r k j = asked r' k j) ->
    size r k = size r' k -> (forall j, samples E r k j = samples E r' k j) -> gain r k = gain r' k -> sel r k = sel r' k }.
Definition offers_rule := offers_within (fun _ => 0).
Lemma offer_top sel : offers_rule sel -> forall r k s, In s (subsets (offered r k)) -> surplus_at r k s <= surplus_at r k (sel r k).
Proof. intros R r k s Hs. pose proof (offer_near _ _ R r k s Hs) as H. slack1 H. Qed.
Definition first_of_offers (r : types) (k : nat) : list nat := argmax (surplus_at r k) [] (subsets (offered r k)).
Theorem first_of_offers_rule : offers_rule first_of_offers.
Proof.
  split.
  - intros r i. unfold first_of_offers. destruct (argmax_In _ (surplus_at r i) [] (subsets (offered r i))) as [H|H]; [rewrite <- H; apply subsets_nil|exact H].
  - intros r i s H. apply (le_trans N _ (surplus_at r i (first_of_offers r i))); [apply argmax_best; now right|apply diff_le, le_eq; ring].
  - intros r r' i O P Hn He HK. unfold first_of_offers. rewrite <- O. apply argmax_ext. intros s Hs.
    assert (I : incl s (offered r i)) by (destruct Hs as [<-|Hs]; [intros j []|now apply subsets_incl]).
    unfold surplus_at, value, data. rewrite Hn, HK. f_equal; [f_equal; f_equal|]; apply sum_ext; intros j Hj; [apply He|now apply P, I].
Qed.

(** r and r' differ in what i says at most; its size only where no report moves data, unless [sizes] stay. *)
Definition only (sizes : Prop) (i : nat) (r r' : types) : Prop :=
  (forall j, j <> i -> cost r j = cost r' j /\ gain r j = gain r' j /\ size r j = size r' j) /\ (size r = size r' \/ (~ sizes /\ measured E)).
Variable sizes : Prop.
Record fair : Prop := Fair {
  fair_sets : forall r k, NoDup (offered r k) /\ incl (offered r k) (others E k);
  fair_own : forall r r' i, only sizes i r r' -> offered r i = offered r' i /\ forall j, In j (offered r i) -> asked r i j = asked r' i j;
  fair_cost : forall r k i, In i (offered r k) -> cost r i <= asked r k i;
  fair_both : forall r r' k i, only sizes i r r' -> k <> i -> In i (offered r k) -> In i (offered r' k) ->
    offered r k = offered r' k /\ forall j, In j (offered r k) -> asked r k j = asked r' k j;
  fair_out : forall r r' k i, only sizes i r r' -> k <> i -> In i (offered r' k) -> ~ In i (offered r k) -> asked r' k i <= cost r i;
  fair_less : forall r r' k i, only sizes i r r' -> k <> i -> cost r i <= cost r' i -> In i (offered r' k) -> In i (offered r k) }.
Variable eps : nat -> N.
Variable sel : types -> nat -> list nat.
Hypotheses (rule : offers_within eps sel) (just : fair).
Definition at_offers : mechanism N := Mechanism sel asked.

Lemma offers_incl r k : incl (sel r k) (offered r k).
Proof. apply subsets_incl, (offer_in _ _ rule). Qed.
Lemma offers_feasible r : feasible E (sel r).
Proof.
  intros i _. destruct (fair_sets just r i) as [D I]. split; [exact (subsets_NoDup _ _ D (offer_in _ _ rule r i))|].
  intros j Hj. now apply I, offers_incl.
Qed.
Lemma only_sym i r r' : only sizes i r r' -> only sizes i r' r.
Proof. intros [H S]. split; [|intuition]. intros j D. destruct (H j D) as (? & ? & ?). auto. Qed.
Lemma only_samples i r r' k j : only sizes i r r' -> samples E r k j = samples E r' k j.
Proof. intros [_ [S|[_ M]]]; [unfold samples; now rewrite S|apply M]. Qed.
Lemma only_cost r i b : only sizes i (set_cost r i b) r.
Proof. split; [|now left]. intros j D. cbn. now rewrite put_other. Qed.
Lemma only_gain r i b : only sizes i (set_gain r i b) r.
Proof. split; [|now left]. intros j D. cbn. now rewrite put_other. Qed.
Lemma only_say (r : types) i c k n c' k' n' : ~ sizes -> measured E -> only sizes i (say r i c k n) (say r i c' k' n').
Proof. intros Z M. split; [|now right]. intros j D. cbn. now rewrite !put_other. Qed.
Lemma only_two (r : types) i c k c' k' : only sizes i (set_gain (set_cost r i c) i k) (set_gain (set_cost r i c') i k').
Proof. split; [|now left]. intros j D. cbn. now rewrite !put_other. Qed.

(** i's part as the seller of k: the same choice while it stays on offer, and no sale that truth would miss. *)
Definition from (th r : types) (k i : nat) : N := if mem i (sel r k) then asked r k i - cost th i else 0.
Lemma same_choice r r' k i : only sizes i r r' -> k <> i -> In i (offered r k) -> In i (offered r' k) -> sel r k = sel r' k /\ asked r k i = asked r' k i.
Proof.
  intros A D I I'. destruct (fair_both just r r' k i A D I I') as [O P]. split; [|now apply P]. destruct A as [A S].
  apply (offer_reads _ _ rule); auto; [now apply A| |now apply A]. intro j. apply (only_samples i). now split.
Qed.
Lemma from_truth th r r' k i : only sizes i r r' -> k <> i -> cost r i = cost th i -> from th r' k i <= from th r k i.
Proof.
  intros A D T. unfold from. destruct (in_dec Nat.eq_dec i (offered r k)) as [I|I].
  - destruct (in_dec Nat.eq_dec i (offered r' k)) as [I'|I'].
    + destruct (same_choice r r' k i A D I I') as [-> ->]. apply le_refl.
    + replace (mem i (sel r' k)) with false by (symmetry; apply mem_not_In; intro F; now apply I', offers_incl).
      destruct (mem i (sel r k)); [|apply le_refl]. rewrite <- T. apply le_diff. now apply (fair_cost just).
  - replace (mem i (sel r k)) with false by (symmetry; apply mem_not_In; intro F; now apply I, offers_incl).
    destruct (mem i (sel r' k)) eqn:B; [|apply le_refl]. apply mem_In, offers_incl in B.
    pose proof (fair_out just r r' k i A D B I) as H. rewrite T in H. slack1 H.
Qed.
Lemma sold_truth th r r' i : only sizes i r r' -> cost r i = cost th i -> sold E at_offers th r' i <= sold E at_offers th r i.
Proof. intros A T. apply sum_le. intros k Hk. apply others_In in Hk as [_ D]. exact (from_truth th r r' k i A D T). Qed.
(** ** Purchases: own offers are not i's to move, and truth chooses best among them. *)
Lemma bought_truth th r r' i : only sizes i r r' -> as_reported E th r i -> gain r i = gain th i -> bought E at_offers th r' i <= bought E at_offers th r i + eps i.
Proof.
  intros A R K. destruct (fair_own just r r' i A) as [O P]. unfold bought. cbn [at_offers buys price]. rewrite <- !(value_true _ E th r i _ R K).
  assert (I : In (sel r' i) (subsets (offered r i))) by (rewrite O; apply (offer_in _ _ rule)).
  pose proof (offer_near _ _ rule r i _ I) as H. unfold surplus_at in H.
  replace (sum (asked r' i) (sel r' i)) with (sum (asked r i) (sel r' i)); [exact H|].
  apply sum_ext. intros j Hj. now apply P, (subsets_incl _ _ I).
Qed.
Lemma bought_idle th r r' i : only sizes i r r' -> size r i = size r' i -> gain r i = gain r' i -> bought E at_offers th r i = bought E at_offers th r' i.
Proof.
  intros A Z K. destruct (fair_own just r r' i A) as [O P]. unfold bought. cbn [at_offers buys price].
  replace (sel r' i) with (sel r i); [f_equal; apply sum_ext; intros j Hj; now apply P, offers_incl|].
  apply (offer_reads _ _ rule); auto. intro j. now apply (only_samples i).
Qed.

Theorem offers_dsic_cost : dsic_cost E at_offers.
Proof.
  intros th r i b _. assert (A : only sizes i (set_cost r i (cost th i)) (set_cost r i b))
    by (split; [intros j D; cbn; now rewrite !put_other|now left]).
  unfold utility. rewrite (bought_idle th _ _ i A) by reflexivity. pose proof (sold_truth th _ _ i A (put_same _ _ _ _)) as H. slack1 H.
Qed.
(** A lie about the gain, or about all that no data hang on, gains at most eps_i, by a better choice of i's own. *)
Definition cost_gain_regret : Prop := forall th r i c k, (i < clients E)%nat -> as_reported E th r i ->
  utility E at_offers th (set_gain (set_cost r i c) i k) i <= utility E at_offers th (set_gain (set_cost r i (cost th i)) i (gain th i)) i + eps i.
Definition regret : Prop := forall th r i c k n, (i < clients E)%nat ->
  utility E at_offers th (say r i c k n) i <= utility E at_offers th (say r i (cost th i) (gain th i) (size th i)) i + eps i.
Theorem offers_cost_gain_regret : cost_gain_regret.
Proof.
  intros th r i c k _ R. pose proof (only_two r i (cost th i) (gain th i) c k) as A. unfold utility.
  pose proof (bought_truth th _ _ i A R (put_same _ _ _ _)) as H. pose proof (sold_truth th _ _ i A (put_same _ _ _ _)) as H'. slack2 H H'.
Qed.
Theorem offers_regret : ~ sizes -> measured E -> regret.
Proof.
  intros Z M th r i c k n _. pose proof (only_say r i (cost th i) (gain th i) (size th i) c k n Z M) as A. unfold utility.
  assert (R : as_reported E th (say r i (cost th i) (gain th i) (size th i)) i) by (split; [apply put_same|intro; apply M]).
  pose proof (bought_truth th _ _ i A R (put_same _ _ _ _)) as H. pose proof (sold_truth th _ _ i A (put_same _ _ _ _)) as H'. slack2 H H'.
Qed.
(** In gains alone, whatever the own cost is said to be: while the cost stands still i is on offer as before. *)
Theorem offers_gain_regret th r i b : as_reported E th r i ->
  utility E at_offers th (set_gain r i b) i <= utility E at_offers th (set_gain r i (gain th i)) i + eps i.
Proof.
  intro R. set (t := set_gain r i (gain th i)). set (l := set_gain r i b).
  assert (A : only sizes i t l) by (split; [intros j D; cbn; now rewrite !put_other|now left]).
  assert (S : sold E at_offers th l i = sold E at_offers th t i).
  { apply sum_ext. intros k Hk. apply others_In in Hk as [_ D]. cbn [at_offers buys price].
    destruct (in_dec Nat.eq_dec i (offered t k)) as [I|I].
    - destruct (same_choice t l k i A D I) as [-> ->]; [|reflexivity]. apply (fair_less just l t k i (only_sym _ _ _ A) D); [apply le_refl|exact I].
    - assert (I' : ~ In i (offered l k)) by (intro F; apply I, (fair_less just t l k i A D); [apply le_refl|exact F]).
      replace (mem i (sel t k)) with false by (symmetry; apply mem_not_In; intro F; now apply I, offers_incl).
      now replace (mem i (sel l k)) with false by (symmetry; apply mem_not_In; intro F; now apply I', offers_incl). }
  unfold utility. rewrite S. pose proof (bought_truth th t l i A R (put_same _ _ _ _)) as H. slack1 H.
Qed.
(** Nobody loses: a seller is paid at least its cost, a buyer may buy nothing. *)
Theorem offers_ir_seller : ir_seller E at_offers.
Proof.
  intros th r i _ _ _ Hc. apply sum_nonneg. intros k _. cbn [at_offers buys price]. rewrite <- Hc.
  destruct (mem i (sel r k)) eqn:B; [|apply le_refl]. apply mem_In, offers_incl in B. now apply le_diff, (fair_cost just).
Qed.
Theorem offers_buyer_gap : starts_at_zero E -> forall th r i, valid_market E -> valid E r -> (i < clients E)%nat ->
  as_reported E th r i -> gain r i = gain th i -> 0 - eps i <= bought E at_offers th r i.
Proof.
  intros Z th r i VM V Hi D HK. destruct (V i Hi) as (Hs & _ & Hg). pose proof (offer_near _ _ rule r i [] (subsets_nil _)) as H.
  assert (Z0 : surplus_at r i [] = 0).
  { unfold surplus_at, value, data; cbn. replace (size r i + 0) with (size r i) by ring. rewrite Z by assumption. ring. }
  rewrite Z0 in H. unfold bought; cbn. rewrite <- (value_true _ E th r i _ D HK). unfold surplus_at in H. slack1 H.
Qed.
(** A seller that asks more sells no more: asking less, it stays on offer, and the choice is the same. *)
Theorem offers_monotone : monotone E at_offers.
Proof.
  intros r i k b _ _ Hb. cbn. intro B. destruct (Nat.eq_dec k i) as [->|D].
  { apply offers_incl, (fair_sets just) in B. now apply others_self in B. }
  assert (A : only sizes i r (set_cost r i b)) by (apply only_sym, only_cost). pose proof (offers_incl _ _ _ B) as I'.
  assert (I : In i (offered r k)).
  { apply (fair_less just r _ k i A D); [|exact I']. cbn. rewrite put_same. now apply lt_le. }
  destruct (same_choice r _ k i A D I I') as [-> _]. exact B.
Qed.
Theorem offers_balanced : balanced E at_offers.
Proof. apply bilateral_balance, offers_feasible. Qed.
End Offers.

(** ** Best sets: eps is 0, and nothing is gained *)
Section Best.
Variable N : num.
Add Field field_best_offers : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable offered : types N -> nat -> list nat.
Variable asked : types N -> nat -> nat -> N.
Variable sizes : Prop.
Variable sel : types N -> nat -> list nat.
Hypotheses (rule : offers_rule N E offered asked sel) (just : fair N E offered asked sizes).
Notation at_offers := (at_offers N asked sel).
Theorem offers_dsic_cost_gain : dsic_cost_gain E at_offers.
Proof. intros th r i c k Hi R. pose proof (offers_cost_gain_regret N E offered asked sizes _ sel rule just th r i c k Hi R) as H. slack1 H. Qed.
Theorem offers_dsic_gain : dsic_gain E at_offers.
Proof. intros th r i b Hi R. pose proof (offers_gain_regret N E offered asked sizes _ sel rule just th r i b R) as H. slack1 H. Qed.
(** Cost, gain and size at once, where no report moves data. *)
Theorem offers_dsic : ~ sizes -> measured E -> dsic E at_offers.
Proof. intros Z M th r i c k n Hi. pose proof (offers_regret N E offered asked sizes _ sel rule just Z M th r i c k n Hi) as H. slack1 H. Qed.
Theorem offers_dsic_size : ~ sizes -> measured E -> dsic_size E at_offers.
Proof. intros Z M th r i n Hi. now apply (offers_dsic Z M th r i (cost th i) (gain th i) n). Qed.
Theorem offers_ir_buyer : starts_at_zero E -> ir_buyer E at_offers.
Proof. intros Z th r i VM V Hi D HK. pose proof (offers_buyer_gap N E offered asked _ sel rule Z th r i VM V Hi D HK) as H. slack1 H. Qed.
Theorem offers_ir : starts_at_zero E -> ir E at_offers.
Proof. intro Z. apply ir_parts; [now apply offers_ir_buyer|exact (offers_ir_seller N E offered asked sizes _ sel rule just)]. Qed.
End Best.
