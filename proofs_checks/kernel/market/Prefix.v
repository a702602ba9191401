(** * The prefix lemma: overstating a cost never pays under ipfl

    Raising w_j lowers j's threshold, so j moves back or stays and the others keep their order.  Taken both times: what was
    taken ahead of it only grows, so its marginal contribution does not rise.  Not taken because an earlier one failed: that
    one still fails ahead of it.  Not taken on its own test: the data held did not fall, the threshold did. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Falling market.Market market.Facts market.Threshold.
Import ListNotations.

Section Prefix.
Variable N : num.
Add Field field_prefix : (num_field N).
Local Open Scope num_scope.
Notation before := (before N).
Notation aboveb := (aboveb N).
Notation under := (under N).

Definition ahead (y : nat -> option N) (a : nat) (l : list nat) : list nat := filter (fun c => before y c a && negb (Nat.eqb c a)) l.
(** The search without a list: k is taken when it and all ahead of it pass. *)
Lemma take_spec n y l : StronglySorted (fun a b => before y a b = true) l -> NoDup l -> forall held k,
  In k (take N n y held l) <-> In k l /\ forall a, In a l -> before y a k = true -> under (held + sum n (ahead y a l) + n a) (y a) = true.
Proof.
  induction 1 as [|j t Hs IH Hj]; intros Hn held k; [cbn; tauto|]. inversion_clear Hn as [|? ? Nj Nt]. specialize (IH Nt).
  rewrite Forall_forall in Hj.
  assert (A0 : ahead y j (j :: t) = []).
  { unfold ahead. cbn. rewrite Nat.eqb_refl, andb_false_r. cbn.
    destruct (filter _ t) as [|c u] eqn:F; [reflexivity|]. assert (C : In c (c :: u)) by now left. rewrite <- F in C.
    apply filter_In in C as [C B]. apply andb_true_iff in B as [B _]. assert (c = j) by (eapply before_anti; eauto). subst. contradiction. }
  assert (A1 : forall a, In a t -> ahead y a (j :: t) = j :: ahead y a t).
  { intros a Ha. unfold ahead. cbn. rewrite (Hj a Ha). destruct (Nat.eqb_spec j a); [subst; contradiction|reflexivity]. }
  assert (S1 : forall a, In a t -> held + sum n (ahead y a (j :: t)) + n a = held + n j + sum n (ahead y a t) + n a).
  { intros a Ha. rewrite (A1 a Ha). cbn. ring. }
  assert (S0 : held + sum n (ahead y j (j :: t)) + n j = held + n j) by (rewrite A0; cbn; ring).
  cbn [take]. destruct (under (held + n j) (y j)) eqn:U.
  - split.
    + intros [<-|H].
      * split; [now left|]. intros a [<-|Ha] B; [now rewrite S0|]. assert (a = j) by (eapply before_anti; eauto). subst. contradiction.
      * apply IH in H as [Hk H]. split; [now right|]. intros a [<-|Ha] B; [now rewrite S0|]. rewrite (S1 a Ha). now apply H.
    + intros [[<-|Hk] H]; [now left|]. right. apply IH. split; [assumption|]. intros a Ha B. rewrite <- (S1 a Ha). apply H; [now right|assumption].
  - split; [intros []|]. intros [Hk H]. specialize (H j (or_introl eq_refl)). rewrite S0, U in H. enough (false = true) by discriminate.
    apply H. destruct Hk as [<-|Hk]; [apply before_refl|now apply Hj].
Qed.
Lemma sum_incl (f : nat -> N) s t : NoDup s -> NoDup t -> incl s t -> (forall j, In j t -> 0 <= f j) -> sum f s <= sum f t.
Proof.
  intros Hs Ht H P. rewrite (sum_within N f s t Hs Ht H). apply sum_le. intros j Hj. destruct (mem j s); [apply le_refl|now apply P].
Qed.

Variable E : market N.
Variable x : types N -> nat -> nat -> option N.
Variable ord : types N -> nat -> list nat.
Hypothesis rule : threshold_rule N E x ord.
Notation taken := (taken N E x ord).
Notation types := (types N).

Definition held (r : types) (i a : nat) : N := size r i + sum (samples E r i) (ahead (x r i) a (others E i)) + samples E r i a.
Lemma taken_spec r i k : In k (taken r i) <->
  In k (others E i) /\ forall a, In a (others E i) -> before (x r i) a k = true -> under (held r i a) (x r i a) = true.
Proof.
  unfold taken. rewrite take_spec by (apply (ord_sorted _ _ _ _ rule) || apply (ord_NoDup N E x ord rule)).
  pose proof (ord_perm _ _ _ _ rule r i) as P. assert (I : forall a, In a (ord r i) <-> In a (others E i)) by (intro; split; apply Permutation_in; [|apply Permutation_sym]; exact P).
  assert (S : forall a, sum (samples E r i) (ahead (x r i) a (ord r i)) = sum (samples E r i) (ahead (x r i) a (others E i))).
  { intro a. apply sum_perm, NoDup_Permutation; try apply NoDup_filter; [apply (ord_NoDup N E x ord rule)|apply others_NoDup|].
    intro c. unfold ahead. now rewrite !filter_In, I. }
  unfold held. split; intros [Hk H]; (split; [now apply I|]); intros a Ha B; [rewrite <- S|rewrite S]; (apply H; [now apply I|assumption]).
Qed.

(** Thresholds are of the weight, and fall as it rises: so at the square-root law ([sqrt_thresholds_fall]). *)
Definition thresholds_fall : Prop := forall r r' k j, valid_market E -> valid E r -> valid E r' -> (k < clients E)%nat -> (j < clients E)%nat ->
  size r k = size r' k -> gain r k = gain r' k -> samples E r k j = samples E r' k j -> cost r j <= cost r' j -> aboveb (x r k j) (x r' k j) = true.
Hypothesis falls : thresholds_fall.
Lemma aboveb_anti a b : aboveb a b = true -> aboveb b a = true -> a = b.
Proof. destruct a, b; cbn; try easy. intros H H'. f_equal. now apply (le_anti N). Qed.

Section Lie.
Variables (r : types) (i : nat) (b : N).
Hypotheses (VM : valid_market E) (V : valid E r) (Hi : (i < clients E)%nat) (Hb : cost r i <= b).
Let r' := set_cost r i b.
Lemma valid_lie : valid E r'.
Proof.
  intros k Hk. destruct (V k Hk) as (H1 & H2 & H3). repeat split; auto. cbn. unfold put. destruct (Nat.eqb_spec k i) as [->|]; [|assumption].
  now apply (le_trans N _ (cost r i)).
Qed.
Lemma others_stay k j : (k < clients E)%nat -> In j (others E k) -> j <> i -> x r' k j = x r k j.
Proof.
  intros Hk Hj D. apply others_In in Hj as [Hj _]. assert (C : cost r' j = cost r j) by (cbn; now apply put_other).
  apply aboveb_anti; apply falls; auto using valid_lie; rewrite C; apply le_refl.
Qed.
Lemma moves_back k : (k < clients E)%nat -> aboveb (x r k i) (x r' k i) = true.
Proof. intro Hk. apply falls; auto using valid_lie. cbn. now rewrite put_same. Qed.

Variable k : nat.
Hypotheses (Hk : (k < clients E)%nat) (D : k <> i).
Let O := others E k.
Let y := x r k.
Let y' := x r' k.
Lemma order_kept a c : In a O -> In c O -> a <> i -> c <> i -> before y' a c = before y a c.
Proof. intros Ha Hc Da Dc. unfold Falling.before, y, y'. now rewrite !(others_stay k) by assumption. Qed.
Lemma ahead_before a : In a O -> a <> i -> before y' i a = true -> before y i a = true.
Proof.
  intros Ha Da. pose proof (moves_back k Hk) as M. unfold Falling.before, y, y'. rewrite (others_stay k a Hk Ha Da). rewrite !andb_true_iff. intros [H1 H2].
  split; [now apply (aboveb_trans N _ (x r' k i))|]. destruct (aboveb (x r k a) (x r k i)) eqn:F; [|reflexivity].
  now rewrite (aboveb_trans N _ _ _ F M) in H2.
Qed.
Lemma behind_after a : In a O -> a <> i -> before y a i = true -> before y' a i = true.
Proof.
  intros Ha Da B. destruct (before_total N y' a i) as [|F]; [assumption|]. apply ahead_before in F; [|assumption|assumption].
  exfalso. apply Da. now apply (before_anti N y).
Qed.
Lemma held_same a : In a O -> a <> i -> (before y i a = before y' i a) -> held r' k a = held r k a.
Proof.
  intros Ha Da Bi. unfold held. f_equal. f_equal. change (samples E r' k) with (samples E r k). f_equal. apply filter_ext_in. intros c Hc.
  destruct (Nat.eq_dec c i) as [->|Dc]; [fold y y'; now rewrite Bi|]. fold y y'. now rewrite order_kept.
Qed.
Lemma nonneg j : In j O -> 0 <= samples E r k j.
Proof. intro Hj. apply others_In in Hj. apply samples_nonneg; tauto. Qed.

(** Taken on the lie, taken on the truth; and then the lie's set holds the truth's. *)
Lemma taken_both : In i (taken r' k) -> In i (taken r k).
Proof.
  intro T. apply taken_spec in T as [Io T]. apply taken_spec. split; [assumption|]. intros a Ha B.
  destruct (Nat.eq_dec a i) as [->|Da].
  - specialize (T i Io (before_refl N y' i)). apply (under_above N _ _ (x r' k i)); [now apply moves_back|].
    apply (under_less N _ (held r' k i)); [|exact T]. unfold held. change (samples E r' k) with (samples E r k). change (size r' k) with (size r k).
    assert (S : sum (samples E r k) (ahead (x r k) i (others E k)) <= sum (samples E r k) (ahead (x r' k) i (others E k))).
    { apply sum_incl; try apply NoDup_filter, others_NoDup.
      - intros c Hc. apply filter_In in Hc as [Hc Bc]. apply andb_true_iff in Bc as [Bc Dc]. apply filter_In. split; [assumption|].
        apply andb_true_iff. split; [|assumption]. apply behind_after; [assumption| |assumption]. now apply negb_true_iff, Nat.eqb_neq in Dc.
      - intros j Hj. apply filter_In in Hj as [Hj _]. now apply nonneg. }
    slack1 S.
  - assert (B' := behind_after a Ha Da B). specialize (T a Ha B'). rewrite (others_stay k a Hk Ha Da) in T. rewrite <- (held_same a Ha Da); [exact T|].
    assert (F : before y i a = false) by (destruct (before y i a) eqn:F; [exfalso; apply Da; now apply (before_anti N y)|reflexivity]).
    assert (F' : before y' i a = false) by (destruct (before y' i a) eqn:F'; [exfalso; apply Da; now apply (before_anti N y')|reflexivity]).
    congruence.
Qed.
Lemma taken_more : In i (taken r' k) -> incl (taken r k) (taken r' k).
Proof.
  intros T a Ha. destruct (Nat.eq_dec a i) as [->|Da]; [assumption|]. apply taken_spec in Ha as [Ao H]. apply taken_spec in T as [Io T].
  apply taken_spec. split; [assumption|]. intros l Hl B.
  destruct (before y' l i) eqn:L; [now apply T|]. assert (Dl : l <> i) by (intros ->; rewrite (before_refl N y' i) in L; discriminate).
  assert (L' : before y' i l = true) by (destruct (before_total N y' i l); congruence).
  rewrite (held_same l Hl Dl), (others_stay k l Hk Hl Dl).
  - apply H; [assumption|]. fold y. rewrite <- order_kept; assumption.
  - rewrite L'. now apply ahead_before.
Qed.
(** So the price does not rise. *)
Lemma price_falls : falling E -> In i (taken r' k) -> marginal_price N E x ord r' k i <= marginal_price N E x ord r k i.
Proof.
  intros F T. pose proof (taken_both T) as T0. pose proof (taken_more T) as I.
  pose proof (taken_NoDup N E x ord rule r k) as Nt. pose proof (taken_NoDup N E x ord rule r' k) as Nt'.
  destruct (V k Hk) as (Hn & _ & HK). assert (Io : In i O) by (apply others_In; auto).
  set (h := sum (samples E r k) (without i (taken r k))). set (h' := sum (samples E r k) (without i (taken r' k))).
  assert (In_O : forall q, valid E q -> incl (taken q k) O) by (intros q _; apply (taken_incl N E x ord rule)).
  assert (H0 : 0 <= h) by (apply sum_nonneg; intros j Hj; apply without_In in Hj as [Hj _]; apply nonneg, (In_O r V), Hj).
  assert (Hh : h <= h').
  { apply sum_incl; try (now apply without_NoDup).
    - intros j Hj. apply without_In in Hj as [Hj Dj]. apply without_In. auto.
    - intros j Hj. apply without_In in Hj as [Hj _]. apply nonneg, (In_O r' valid_lie), Hj. }
  pose proof (F (gain r k) (size r k) (size r k + h) (h' - h) (samples E r k i) HK Hn (add_positive N _ _ Hn H0) (le_diff N _ _ Hh) (nonneg i Io)) as Q.
  unfold marginal_price, marginal. change (pen E r' k i) with (pen E r k i).
  change (value E r' k) with (value E r k). unfold value, data.
  rewrite (sum_without N (samples E r k) i _ Nt T0), (sum_without N (samples E r k) i _ Nt' T). fold h h'.
  replace (size r k + h + (h' - h) + samples E r k i) with (size r k + (samples E r k i + h')) in Q by ring.
  replace (size r k + h + (h' - h)) with (size r k + h') in Q by ring.
  replace (size r k + h + samples E r k i) with (size r k + (samples E r k i + h)) in Q by ring. slack1 Q.
Qed.
End Lie.

(** Own purchases do not read the own cost. *)
Lemma own_purchases r i b : valid_market E -> valid E r -> (i < clients E)%nat -> cost r i <= b -> forall th,
  bought E (ipfl N E x ord) th (set_cost r i b) i = bought E (ipfl N E x ord) th r i.
Proof.
  intros VM V Hi Hb th. set (r' := set_cost r i b).
  assert (S : forall j, In j (others E i) -> x r' i j = x r i j).
  { intros j Hj. apply (others_stay r i b); try assumption. apply others_In in Hj. tauto. }
  assert (B : forall a c, In a (others E i) -> In c (others E i) -> before (x r' i) a c = before (x r i) a c).
  { intros a c Ha Hc. unfold Falling.before. now rewrite !S. }
  assert (Hd : forall a, In a (others E i) -> held r' i a = held r i a).
  { intros a Ha. unfold held. change (samples E r' i) with (samples E r i). f_equal. f_equal. f_equal. apply filter_ext_in. intros c Hc. now rewrite B. }
  assert (M : forall j, In j (taken r' i) <-> In j (taken r i)).
  { intro j. rewrite !taken_spec. split; intros [Hj H]; (split; [assumption|]); intros a Ha Ba.
    - rewrite <- S, <- Hd by assumption. apply H; [assumption|]. now rewrite B.
    - rewrite S, Hd by assumption. apply H; [assumption|]. now rewrite <- B. }
  pose proof (taken_NoDup N E x ord rule r i) as Nt. pose proof (taken_NoDup N E x ord rule r' i) as Nt'.
  assert (P : Permutation (taken r' i) (taken r i)) by now apply NoDup_Permutation.
  assert (VP : forall q s t, Permutation s t -> value E q i s = value E q i t).
  { intros q s t Q. unfold value, data. f_equal. f_equal. now apply sum_perm. }
  unfold bought. cbn [ipfl buys price]. rewrite (VP th _ _ P). f_equal. rewrite (sum_perm N _ _ _ P). apply sum_ext. intros j Hj.
  unfold marginal_price, marginal. change (pen E r' i j) with (pen E r i j). change (value E r' i) with (value E r i). rewrite (VP r _ _ P). f_equal. f_equal.
  apply VP, NoDup_Permutation; try (now apply without_NoDup). intro c. rewrite !without_In, M. tauto.
Qed.
(** Overstating a cost never pays: whatever the others say, at any law that rises with falling increments. *)
Theorem ipfl_overstating th r i b : falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat ->
  cost r i = cost th i -> cost th i <= b -> utility E (ipfl N E x ord) th (set_cost r i b) i <= utility E (ipfl N E x ord) th r i.
Proof.
  intros F R VM V Hi Hc Hb. rewrite <- Hc in Hb. unfold utility. rewrite own_purchases by assumption.
  assert (H : sold E (ipfl N E x ord) th (set_cost r i b) i <= sold E (ipfl N E x ord) th r i).
  { apply sum_le. intros k Hk. apply others_In in Hk as [Hk D]. cbn [ipfl buys price].
    destruct (mem i (taken (set_cost r i b) k)) eqn:T; destruct (mem i (taken r k)) eqn:T0.
    - apply mem_In in T. assert (P : marginal_price N E x ord (set_cost r i b) k i <= marginal_price N E x ord r k i) by (apply price_falls; assumption). slack1 P.
    - exfalso. apply mem_In in T. apply taken_both in T; try assumption. apply mem_In in T. congruence.
    - apply mem_In in T0. pose proof (taken_worth N E x ord rule r k i F R VM V Hk T0) as W. unfold marginal_price. rewrite <- Hc.
      unfold weight in W. slack1 W.
    - apply le_refl. }
  slack1 H.
Qed.
(** A seller that asks more sells no more. *)
Theorem ipfl_monotone r i k b : valid_market E -> valid E r -> (i < clients E)%nat -> (k < clients E)%nat -> k <> i -> cost r i <= b ->
  In i (taken (set_cost r i b) k) -> In i (taken r k).
Proof. intros VM V Hi Hk D Hb. apply taken_both; assumption. Qed.
End Prefix.
