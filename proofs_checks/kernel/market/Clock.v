(** * clock-price: a price that falls until enough have left; those who stay are offered the price at which the last one left

    For importer k client j leaves at the price a_kj = c_j / b_kj, where b_kj > 0 is public; of equal prices later clients leave first.
    After each leaving a rule says whether the clock stops.  It may read who has left, in any order, and what they said, what
    those said who bring k nothing, and data that no report moves; not k itself, and not who may still sell.  The suppliers that are left are offered
    b_kj times the last price.  Where it never stops nobody is offered anything.  The offers are fair, [market.Offers]. *)
From Coq Require Import List Arith Bool Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market market.Facts market.Offers market.Pooled.
Import ListNotations.

Section Clock.
Variable N : num.
Add Field field_clock : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Notation types := (types N).
Variable scale : types -> nat -> nat -> N. (** b *)
Variable stop : types -> nat -> list nat -> bool. (** the set that has left, in client order *)
Record clock_rule : Prop := ClockRule {
  scale_positive : forall r k j, 0 < scale r k j;
  scale_reads : forall r r' k, (forall j, samples E r k j = samples E r' k j) -> forall j, scale r k j = scale r' k j;
  stop_reads : forall r r' k s, (forall j, samples E r k j = samples E r' k j) ->
    (forall j, In j (others E k) -> In j s \/ ~ In j (suppliers N E r k) -> cost r j = cost r' j /\ gain r j = gain r' j /\ size r j = size r' j) ->
    stop r k s = stop r' k s }.
Hypothesis rule : clock_rule.

Definition leaves (r : types) (k j : nat) : N := cost r j / scale r k j.
(** j leaves before i. *)
Definition sooner (r : types) (k j i : nat) : bool := cheaper N (leaves r k) i j.
Definition gone (r : types) (k j : nat) : list nat := filter (fun a => Nat.eqb a j || sooner r k a j) (others E k).
(** The first after whom the clock stops. *)
Definition last_to_leave (r : types) (k : nat) : option nat :=
  find (fun j => stop r k (gone r k j) && forallb (fun a => negb (sooner r k a j && stop r k (gone r k a))) (others E k)) (others E k).
Definition staying (r : types) (k : nat) : list nat :=
  match last_to_leave r k with Some j => filter (fun i => sooner r k j i) (suppliers N E r k) | None => [] end.
Definition clock_ask (r : types) (k i : nat) : N := match last_to_leave r k with Some j => leaves r k j * scale r k i | None => 0 end.
Definition clocked (sel : types -> nat -> list nat) : mechanism N := Mechanism sel clock_ask.

Lemma last_spec r k j : last_to_leave r k = Some j <-> In j (others E k) /\ stop r k (gone r k j) = true /\
  forall a, In a (others E k) -> sooner r k a j = true -> stop r k (gone r k a) = false.
Proof.
  assert (G : forall j, In j (others E k) /\ (stop r k (gone r k j) && forallb (fun a => negb (sooner r k a j && stop r k (gone r k a))) (others E k)) = true <->
    In j (others E k) /\ stop r k (gone r k j) = true /\ forall a, In a (others E k) -> sooner r k a j = true -> stop r k (gone r k a) = false).
  { intro b. rewrite andb_true_iff, forallb_forall. split; intros (I & S & H); (split; [exact I|split; [exact S|]]); intros a Ha.
    - intro B. specialize (H a Ha). rewrite B in H. now apply negb_true_iff in H.
    - specialize (H a Ha). destruct (sooner r k a b); [|reflexivity]. cbn. now rewrite H. }
  split; intro H.
  - apply G. apply find_some in H. exact H.
  - destruct (last_to_leave r k) as [j'|] eqn:F.
    + unfold last_to_leave in F. apply find_some, G in F. f_equal. destruct H as (I & S & H), F as (I' & S' & H').
      destruct (Nat.eq_dec j' j) as [|D]; [assumption|exfalso]. destruct (sooner r k j' j) eqn:B.
      * rewrite (H j' I' B) in S'. discriminate.
      * apply cheaper_total in B; [|congruence]. rewrite (H' j I B) in S. discriminate.
    + exfalso. unfold last_to_leave in F. destruct H as [I H]. pose proof (find_none _ _ F j I) as X. cbn in X. pose proof (proj2 (G j) (conj I H)) as [_ Y]. congruence.
Qed.
Lemma stays_spec r k i : In i (staying r k) <-> In i (suppliers N E r k) /\ exists j, last_to_leave r k = Some j /\ sooner r k j i = true.
Proof.
  unfold staying. destruct (last_to_leave r k) as [j|]; [rewrite filter_In; firstorder; congruence|]. split; [intros []|]. now intros (_ & j & F & _).
Qed.

(** What i says, and nobody else; it is a supplier, so that nobody reads it before it has left. *)
Section Lie.
Variables (r r' : types) (k i : nat).
Hypotheses (A : only N E False i r r') (Si : In i (suppliers N E r k)).
Lemma same_samples j : samples E r k j = samples E r' k j.
Proof. now apply (only_samples N E False i). Qed.
Lemma same_leaves j : j <> i -> leaves r k j = leaves r' k j.
Proof. intro D. unfold leaves. rewrite (scale_reads rule r r' k same_samples j). destruct A as [A' _]. now destruct (A' j D) as (-> & _). Qed.
Lemma same_sooner a b : a <> i -> b <> i -> sooner r k a b = sooner r' k a b.
Proof. intros Ha Hb. unfold sooner, cheaper. now rewrite !same_leaves. Qed.
Lemma same_stop j : j <> i -> sooner r k i j = false -> sooner r' k i j = false -> stop r k (gone r k j) = stop r' k (gone r' k j).
Proof.
  intros D L L'. assert (G : gone r k j = gone r' k j).
  { apply filter_ext_in. intros a _. destruct (Nat.eq_dec a i) as [->|Da]; [now rewrite L, L'|]. now rewrite same_sooner. }
  rewrite <- G. apply (stop_reads rule); [exact same_samples|]. intros a Ha [F|F].
  - destruct (Nat.eq_dec a i) as [->|Da]; [|now apply A]. apply filter_In in F as [_ F]. rewrite L in F. destruct (Nat.eqb_spec i j); [congruence|discriminate].
  - apply A. congruence.
Qed.
(** i's part is that of the clock without it: where it stays on either report the clock stops at the same client. *)
Lemma last_same j : last_to_leave r k = Some j -> sooner r k j i = true -> sooner r' k j i = true -> last_to_leave r' k = Some j.
Proof.
  intros L B B'. apply last_spec in L as (I & S & H). assert (D : j <> i) by (intros ->; unfold sooner in B; now rewrite cheaper_irrefl in B).
  assert (X : forall q b, sooner q k b i = true -> sooner q k i b = false).
  { intros q b Q. destruct (sooner q k i b) eqn:F; [|reflexivity]. unfold sooner in *. pose proof (cheaper_trans N _ _ _ _ Q F) as Y. now rewrite cheaper_irrefl in Y. }
  apply last_spec. split; [exact I|]. split; [now rewrite <- same_stop by auto|].
  intros a Ha Q. assert (Da : a <> i) by (intros ->; rewrite (X r' j B') in Q; discriminate). pose proof Q as Q'. rewrite <- same_sooner in Q' by assumption.
  rewrite <- (H a Ha Q'). symmetry. unfold sooner in *.
  apply same_stop; [assumption| |]; apply X; (eapply cheaper_trans; [eassumption|]); assumption.
Qed.
End Lie.
Lemma leaves_scale r k j : leaves r k j * scale r k j = cost r j.
Proof. unfold leaves. field. apply lt_neq, (scale_positive rule). Qed.
Lemma scale_le r k i (x y : N) : x <= y -> x * scale r k i <= y * scale r k i.
Proof. intro H. pose proof (le_mul N _ _ (scale r k i) (lt_le N _ _ (scale_positive rule r k i)) H) as Q. slack1 Q. Qed.
Theorem clock_fair : fair N E staying clock_ask False.
Proof.
  assert (Sup : forall r r' k i, only N E False i r r' -> suppliers N E r k = suppliers N E r' k).
  { intros r r' k i A. apply suppliers_ext. intro j. now apply (only_samples N E False i). }
  assert (Both : forall r r' k i, only N E False i r r' -> k <> i -> In i (staying r k) -> In i (staying r' k) -> last_to_leave r k = last_to_leave r' k).
  { intros r r' k i A Dk I I'. apply stays_spec in I as (Si & j & L & B), I' as (Si' & j' & L' & B'). pose proof (only_sym N E False i _ _ A) as A'.
    destruct (sooner r' k j i) eqn:F; [rewrite L; symmetry; now apply (last_same r r' k i A Si j)|].
    destruct (sooner r k j' i) eqn:F'; [rewrite L'; now apply (last_same r' r k i A' Si' j')|]. exfalso. unfold sooner in *.
    assert (D : j <> i) by (intros ->; now rewrite cheaper_irrefl in B). assert (D' : j' <> i) by (intros ->; now rewrite cheaper_irrefl in B').
    apply cheaper_total in F, F'; try congruence. pose proof (cheaper_trans N _ _ _ _ F' B) as G. pose proof (cheaper_trans N _ _ _ _ F B') as G'.
    pose proof (same_sooner r r' k i A j j' D D') as X. unfold sooner in X. rewrite X in G. pose proof (cheaper_trans N _ _ _ _ G G') as Y. now rewrite cheaper_irrefl in Y. }
  split.
  - intros r k. unfold staying. destruct (last_to_leave r k); [|split; [constructor|intros j []]]. split; [apply NoDup_filter, suppliers_NoDup|].
    intros j Hj. apply filter_In in Hj as [Hj _]. now apply (suppliers_incl N E r).
  - intros r r' i A. assert (Q : forall j, In j (others E i) -> cost r j = cost r' j /\ gain r j = gain r' j /\ size r j = size r' j)
      by (intros j Hj; apply others_In in Hj; now apply A).
    assert (Z : forall j, samples E r i j = samples E r' i j) by (intro; now apply (only_samples N E False i)).
    assert (V : forall j, In j (others E i) -> leaves r i j = leaves r' i j) by (intros j Hj; unfold leaves; rewrite (scale_reads rule r r' i Z); now destruct (Q j Hj) as (-> & _)).
    assert (W : forall a b, In a (others E i) -> In b (others E i) -> sooner r i a b = sooner r' i a b) by (intros a b Ha Hb; unfold sooner, cheaper; now rewrite !V).
    assert (G : forall j, In j (others E i) -> gone r i j = gone r' i j) by (intros j Hj; apply filter_ext_in; intros a Ha; now rewrite W).
    assert (T : forall j, In j (others E i) -> stop r i (gone r i j) = stop r' i (gone r' i j)).
    { intros j Hj. rewrite <- G by assumption. apply (stop_reads rule); [exact Z|]. intros a Ha _. now apply Q. }
    assert (L : last_to_leave r i = last_to_leave r' i).
    { destruct (last_to_leave r i) as [j|] eqn:F.
      - apply last_spec in F as (I & S & H). symmetry. apply last_spec. split; [exact I|]. split; [now rewrite <- T|]. intros a Ha B. rewrite <- T by assumption. apply H; [assumption|]. now rewrite W.
      - destruct (last_to_leave r' i) as [j|] eqn:F'; [|reflexivity]. exfalso. apply last_spec in F' as (I & S & H).
        assert (last_to_leave r i = Some j) as Y; [|congruence]. apply last_spec. split; [exact I|]. split; [now rewrite T|]. intros a Ha B. rewrite T by assumption. apply H; [assumption|]. now rewrite <- W. }
    unfold staying, clock_ask. rewrite <- L, (suppliers_ext N E r r' i Z). destruct (last_to_leave r i) as [j|] eqn:F; [|split; [reflexivity|intros j []]].
    pose proof F as F0. apply last_spec in F0 as (Ij & _). split.
    + apply filter_ext_in. intros a Ha. apply W; [assumption|]. now apply (suppliers_incl N E r').
    + intros a _. now rewrite V, (scale_reads rule r r' i Z).
  - intros r k i I. apply stays_spec in I as (_ & j & L & B). unfold clock_ask. rewrite L, <- (leaves_scale r k i). apply scale_le.
    now apply andb_true_iff in B as [B _].
  - intros r r' k i A Dk I I'. pose proof (Both r r' k i A Dk I I') as L. assert (Z : forall j, samples E r k j = samples E r' k j) by (intro; now apply (only_samples N E False i)).
    apply stays_spec in I as (_ & j & F & B), I' as (_ & j' & F' & B'). rewrite F, F' in L. injection L as <-.
    assert (D : j <> i) by (intros ->; unfold sooner in B; now rewrite cheaper_irrefl in B).
    unfold staying, clock_ask. rewrite F, F', <- (Sup r r' k i A). split.
    + apply filter_ext. intro a. destruct (Nat.eq_dec a i) as [->|Da]; [now rewrite B, B'|]. now apply (same_sooner r r' k i A).
    + intros a _. now rewrite (same_leaves r r' k i A j D), (scale_reads rule r r' k Z).
  - intros r r' k i A Dk I' I. apply stays_spec in I' as (S' & j & L & B). unfold clock_ask. rewrite L.
    assert (D : j <> i) by (intros ->; unfold sooner in B; now rewrite cheaper_irrefl in B).
    assert (Z : forall j, samples E r k j = samples E r' k j) by (intro; now apply (only_samples N E False i)).
    destruct (sooner r k j i) eqn:F.
    + exfalso. apply I, stays_spec. rewrite (Sup r r' k i A). split; [exact S'|]. exists j. split; [|exact F]. apply (last_same r' r k i (only_sym N E False i _ _ A) S' j L B F).
    + unfold sooner in F. apply cheaper_total in F; [|congruence]. apply andb_true_iff in F as [F _].
      rewrite <- (same_leaves r r' k i A j D), <- (scale_reads rule r r' k Z i), <- (leaves_scale r k i). now apply scale_le.
  - intros r r' k i A Dk C I'. apply stays_spec in I' as (S' & j & L & B). assert (D : j <> i) by (intros ->; unfold sooner in B; now rewrite cheaper_irrefl in B).
    assert (Z : forall j, samples E r k j = samples E r' k j) by (intro; now apply (only_samples N E False i)).
    assert (Y : leaves r k i <= leaves r' k i).
    { unfold leaves. rewrite <- (scale_reads rule r r' k Z i). pose proof (scale_positive rule r k i) as P. pose proof (lt_neq _ _ _ P). apply (le_div N (scale r k i) _ _ P).
      replace (scale r k i * (cost r i / scale r k i)) with (cost r i) by (field; auto). now replace (scale r k i * (cost r' i / scale r k i)) with (cost r' i) by (field; auto). }
    apply stays_spec. rewrite (Sup r r' k i A). split; [exact S'|]. exists j.
    assert (F : sooner r k j i = true).
    { unfold sooner, cheaper in *. rewrite (same_leaves r r' k i A j D). apply andb_true_iff in B as [B B']. rewrite (le_trans N _ _ _ Y B : leb (leaves r k i) (leaves r' k j) = true).
      cbn. destruct (leb (leaves r' k j) (leaves r k i)) eqn:F; [|reflexivity]. now rewrite (le_trans N _ _ _ F Y : leb (leaves r' k j) (leaves r' k i) = true) in B'. }
    split; [|exact F]. apply (last_same r' r k i (only_sym N E False i _ _ A) S' j L B F).
Qed.
End Clock.

(** A clock that stops by any test of what was said by those who have left or bring nothing, and of all data, while a supplier
    is left; where one is left it stops.  The catalogue's is one, whatever its powers of data come to. *)
Section Test.
Variable N : num.
Local Open Scope num_scope.
Variable E : market N.
Variable power : list N -> nat -> N.
Variable test : nat -> list (nat * (N * (N * N))) -> list N -> bool.
Definition data_of (r : types N) (k : nat) : list N := map (samples E r k) (seq 0 (clients E)).
Definition heard (r : types N) (k : nat) (s : list nat) : list nat := filter (fun j => mem j s || negb (mem j (suppliers N E r k))) (others E k).
Definition still (r : types N) (k : nat) (s : list nat) : list nat := filter (fun j => negb (mem j s)) (suppliers N E r k).
Definition stop_by (r : types N) (k : nat) (s : list nat) : bool := match still r k s with [] => false | [_] => true
  | _ => test k (map (fun j => (j, (cost r j, (gain r j, size r j)))) (heard r k s)) (data_of r k) end.
Theorem stop_by_rule : (forall l j, 0 < power l j) -> clock_rule N E (fun r k => power (data_of r k)) stop_by.
Proof.
  intro P. assert (D : forall r r' k, (forall j, samples E r k j = samples E r' k j) -> data_of r k = data_of r' k) by (intros r r' k H; apply map_ext; exact H).
  split; [intros; apply P|intros r r' k H j; now rewrite (D r r' k H)|]. intros r r' k s H A. unfold stop_by, still, heard.
  rewrite <- (suppliers_ext N E r r' k H), <- (D r r' k H). destruct (filter _ (suppliers N E r k)) as [|a [|b t]]; [reflexivity|reflexivity|].
  f_equal. apply map_ext_in. intros j Hj. apply filter_In in Hj as [Hj B]. destruct (A j Hj) as (-> & -> & ->); [|reflexivity].
  apply orb_true_iff in B as [B|B]; [left; now apply mem_In|right; now apply negb_true_iff, mem_not_In in B].
Qed.
End Test.
