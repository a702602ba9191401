(** * Facts about every market: bilateral payments balance, and marginal contributions to a concave law telescope *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market.
Import ListNotations.

Section Facts.
Variable N : num.
Add Field field_facts : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Notation types := (types N).

Lemma others_NoDup i : NoDup (others E i).
Proof. apply without_NoDup, seq_NoDup. Qed.
Lemma others_In i k : In k (others E i) <-> (k < clients E)%nat /\ k <> i.
Proof. unfold others. rewrite without_In, in_seq. lia. Qed.
Lemma others_self i : ~ In i (others E i).
Proof. rewrite others_In. tauto. Qed.
Lemma put_same (f : nat -> N) i b : put f i b i = b.
Proof. unfold put. now rewrite Nat.eqb_refl. Qed.
Lemma put_other (f : nat -> N) i b k : k <> i -> put f i b k = f k.
Proof. unfold put. destruct (Nat.eqb_spec k i); congruence. Qed.

Lemma best_In r i t : In (best E r i t) (subsets t).
Proof. unfold best. destruct (argmax_In _ (objective E r i) [] (subsets t)) as [E0|H]; [rewrite <- E0; apply subsets_nil|exact H]. Qed.
Lemma top_best r i t s : In s (subsets t) -> objective E r i s <= top E r i t.
Proof. intro H. apply argmax_best. now right. Qed.
Lemma top_mono r i f t : top E r i (filter f t) <= top E r i t.
Proof. apply top_best, subsets_filter_sub with f, best_In. Qed.
Lemma best_ext r r' i t : (forall s, In s (subsets t) -> objective E r i s = objective E r' i s) -> best E r i t = best E r' i t.
Proof. intro H. apply argmax_ext. intros s [<-|Hs]; apply H; [apply subsets_nil|assumption]. Qed.
Lemma top_ext r r' i t : (forall s, In s (subsets t) -> objective E r i s = objective E r' i s) -> top E r i t = top E r' i t.
Proof. intro H. unfold top. rewrite (best_ext r r' i t H). apply H, best_In. Qed.

(** The value depends on the view only, and on true data what was reported is what is true. *)
Lemma value_view r r' i s : same_view E r r' i -> incl s (others E i) -> value E r i s = value E r' i s.
Proof.
  intros (Hn & HK & H) Hs. unfold value, data. rewrite Hn, HK. f_equal. f_equal. apply sum_ext. intros j Hj. now apply H, Hs.
Qed.
Lemma weight_view r r' i j : same_view E r r' i -> In j (others E i) -> weight E r i j = weight E r' i j.
Proof. intros (Hn & HK & H) Hj. destruct (H j Hj) as [Hc He]. unfold weight, pen. now rewrite Hn, Hc, He. Qed.
Lemma objective_view r r' i s : same_view E r r' i -> incl s (others E i) -> objective E r i s = objective E r' i s.
Proof.
  intros V Hs. unfold objective. rewrite (value_view r r' i s V Hs). f_equal. apply sum_ext. intros j Hj. now apply weight_view, Hs.
Qed.
Lemma top_view r r' i t : same_view E r r' i -> incl t (others E i) -> top E r i t = top E r' i t.
Proof. intros V Ht. apply top_ext. intros s Hs. apply objective_view; [assumption|]. intros j Hj. apply Ht. now apply (subsets_incl _ _ Hs). Qed.
Lemma value_true th r i s : as_reported E th r i -> gain r i = gain th i -> value E r i s = value E th i s.
Proof. intros [Hn He] HK. unfold value, data. rewrite Hn, HK. f_equal. f_equal. apply sum_ext. intros; apply He. Qed.
Lemma view_own_cost r i b : same_view E (set_cost r i b) r i.
Proof. repeat split. intros. cbn. apply put_other. apply others_In in H. tauto. Qed.
(** Another client's gain is not in i's view; nor is its size where data are measured. *)
Lemma view_other_gain r i k b : k <> i -> same_view E (set_gain r k b) r i.
Proof. intro D. repeat split. cbn. apply put_other. congruence. Qed.
Lemma view_other_size r i k n : measured E -> k <> i -> same_view E (set_size r k n) r i.
Proof. intros M D. repeat split; [cbn; apply put_other; congruence|]. intros. apply M. Qed.

(** Effective data were measured: no report moves them. *)
Lemma effective_measured m g e d l : measured (Market m g (effective e) d l : market N).
Proof. intros n n' i j. reflexivity. Qed.

(** Budget balance is a matter of who pays whom, whatever the rule. *)
Lemma trade_swap (S : nat -> list nat) (f : nat -> nat -> N) : feasible E S ->
  sum (fun i => sum (f i) (S i)) (seq 0 (clients E)) =
  sum (fun j => sum (fun i => if mem j (S i) then f i j else 0) (others E j)) (seq 0 (clients E)).
Proof.
  intro F. transitivity (sum (fun i => sum (fun j => if mem j (S i) then f i j else 0) (seq 0 (clients E))) (seq 0 (clients E))).
  - apply sum_ext. intros i Hi. apply in_seq in Hi. destruct (F i) as [Hn Hin]; [lia|].
    apply sum_within; [assumption|apply seq_NoDup|]. intros j Hj. apply Hin, others_In in Hj. apply in_seq. lia.
  - rewrite sum_swap. apply sum_ext. intros i Hi.
    rewrite (sum_without _ _ i); [|apply seq_NoDup|assumption].
    destruct (mem i (S i)) eqn:B; [|unfold others; ring].
    apply in_seq in Hi. destruct (F i) as [_ Hin]; [lia|]. apply mem_In, Hin, others_In in B. lia.
Qed.
Theorem bilateral_balance M : (forall r, feasible E (buys M r)) -> balanced E M.
Proof. intros F r. rewrite sum_sub. unfold paid, received. rewrite (trade_swap _ (price M r) (F r)). ring. Qed.

(** Marginal contributions to a law with falling increments sum to at most its total. *)
Lemma telescope K n (w : nat -> N) s : falling E -> 0 <= K -> 0 < n ->
  (forall j, In j s -> 0 <= w j) -> forall b, 0 < b ->
  sum (fun j => law E K n (b + sum w s) - law E K n (b + sum w s - w j)) s <= law E K n (b + sum w s) - law E K n b.
Proof.
  intros F HK Hn. induction s as [|x t IH]; intros Hw b Hb; cbn.
  - apply le_eq. replace (b + 0) with b by ring. ring.
  - assert (Hx : 0 <= w x) by (apply Hw; now left).
    assert (Ht : 0 <= sum w t) by (apply sum_nonneg; intros; apply Hw; now right).
    assert (Hb' : 0 < b + w x) by now apply add_positive.
    specialize (IH (fun j Hj => Hw j (or_intror Hj)) _ Hb').
    replace (b + w x + sum w t) with (b + (w x + sum w t)) in IH by ring.
    pose proof (F K n b (sum w t) (w x) HK Hn Hb Ht Hx) as Fx.
    replace (b + sum w t + w x) with (b + (w x + sum w t)) in Fx by ring.
    replace (b + (w x + sum w t) - w x) with (b + sum w t) by ring.
    slack2 IH Fx.
Qed.
Lemma samples_nonneg r i j : valid_market E -> valid E r -> (i < clients E)%nat -> (j < clients E)%nat -> 0 <= samples E r i j.
Proof. intros (_ & _ & He) V Hi Hj. apply He; auto. intros k Hk. now apply V. Qed.
Lemma marginals_total r i s : falling E -> starts_at_zero E -> valid_market E -> valid E r -> (i < clients E)%nat -> NoDup s ->
  incl s (others E i) -> sum (marginal E r i s) s <= value E r i s.
Proof.
  intros F Z VM V Hi Hs Hm. destruct (V i Hi) as (Hn & _ & HK).
  assert (He : forall j, In j s -> 0 <= samples E r i j) by (intros j Hj; apply Hm, others_In in Hj; apply samples_nonneg; tauto).
  assert (T := telescope (gain r i) (size r i) (samples E r i) s F HK Hn He (size r i) Hn).
  rewrite Z in T by assumption. unfold value, data. refine (lin1 _ _ _ _ _ T _).
  rewrite (sum_ext _ (marginal E r i s) (fun j => law E (gain r i) (size r i) (size r i + sum (samples E r i) s) -
     law E (gain r i) (size r i) (size r i + sum (samples E r i) s - samples E r i j))); [ring|].
  intros j Hj. unfold marginal, value, data. rewrite (sum_without _ (samples E r i) j s) by assumption.
  f_equal. f_equal. ring.
Qed.
Lemma pen_nonneg r i j : valid_market E -> valid E r -> (i < clients E)%nat -> (j < clients E)%nat -> 0 <= pen E r i j.
Proof.
  intros VM V Hi Hj. pose proof (samples_nonneg r i j VM V Hi Hj). destruct VM as (Hl & Hd & _). destruct (V i Hi) as (Hn & _).
  unfold pen. replace (_ / _) with (lam E * differ E i j * samples E r i j * inv (size r i)).
  - repeat apply mul_nonneg; auto using inv_nonneg.
  - field. now apply lt_neq in Hn.
Qed.
(** Prices of at most the marginal contribution leave a buyer of a concave law no worse off. *)
Theorem at_most_marginal_ir_buyer M : falling E -> starts_at_zero E -> (forall r, feasible E (buys M r)) ->
  (forall r i j, valid_market E -> valid E r -> (i < clients E)%nat -> In j (buys M r i) ->
     price M r i j <= marginal E r i (buys M r i) j) -> ir_buyer E M.
Proof.
  intros F Z Fe P th r i VM V Hi D HK. destruct (Fe r i Hi) as [Hs Hm]. unfold bought.
  rewrite <- (value_true th r i _ D HK). apply le_diff. apply (le_trans _ _ (sum (marginal E r i (buys M r i)) (buys M r i))).
  - apply sum_le. intros j Hj. now apply P.
  - now apply marginals_total.
Qed.
Lemma ir_parts M : ir_buyer E M -> ir_seller E M -> ir E M.
Proof. intros B S th r i VM V Hi D HK Hc. apply add_nonneg; [now apply B|now apply S]. Qed.
End Facts.
