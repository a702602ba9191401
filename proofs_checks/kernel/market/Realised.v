(** * realised: choose on reports, pay on what training measured (after Mezzetti, 2004)

    Stage one selects exactly on reports; stage two pays on the gains that were measured and on penalties at true sizes.
    Here credited samples are of the two clients' own sizes at most ([own_sizes]), as in the plain market and with
    effective data.  Ex-post incentive compatible: with the others truthful, no lie about cost, gain or size pays. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact.

Section Realised.
Variable N : num.
Add Field field_realised : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable sel : types N -> nat -> list nat.
Hypothesis exact : exact_rule N E sel.
Notation types := (types N).
Definition own_sizes : Prop := forall n n' i j, n i = n' i -> n j = n' j -> credit E n i j = credit E n' i j.

(** Money that j was paid for costs, as buyers and as sellers see it. *)
Definition asked (c : nat -> N) (S : nat -> list nat) (j : nat) : N := sum (fun k => if mem j (S k) then c j else 0) (others E j).
(** V_k measured: the true gain less reported costs and true penalties. *)
Definition measured_objective (th r : types) (k : nat) (s : list nat) : N :=
  value E th k s - sum (fun j => cost r j + pen E th k j) s.
(** t_i = h_i - [sum over k <> i of (g_k - c_k exports_k) - all penalties]. *)
Definition transfer (th r : types) (i : nat) : N :=
  sum (fun k => top E r k (without i (others E k))) (others E i)
  - (sum (fun k => value E th k (sel r k) - asked (cost r) (sel r) k) (others E i)
     - sum (fun k => sum (pen E th k) (sel r k)) (seq 0 (clients E))).
Definition realised_utility (th r : types) (i : nat) : N :=
  value E th i (sel r i) - asked (cost th) (sel r) i - transfer th r i.

(** The others tell the truth. *)
Definition others_true (th r : types) (i : nat) : Prop := forall k, k <> i -> size r k = size th k /\ cost r k = cost th k /\ gain r k = gain th k.
Lemma others_true_say (th : types) i c k n : others_true th (say th i c k n) i.
Proof. intros j D. cbn. now rewrite !put_other. Qed.
(** U_i is V_lambda measured at the truth, less what i cannot move. *)
Lemma realised_is_total th r i : (i < clients E)%nat -> others_true th r i ->
  realised_utility th r i = sum (fun k => objective E th k (sel r k)) (seq 0 (clients E)) - sum (fun k => top E r k (without i (others E k))) (others E i).
Proof.
  intros Hi O. unfold realised_utility, transfer. assert (Ii : In i (seq 0 (clients E))) by (apply in_seq; lia).
  assert (A : forall k, In k (others E i) -> asked (cost r) (sel r) k = asked (cost th) (sel r) k).
  { intros k Hk. apply others_In in Hk as [_ D]. unfold asked. apply sum_ext. intros j _. destruct (O k D) as (_ & -> & _). reflexivity. }
  rewrite (sum_ext _ (fun k => value E th k (sel r k) - asked (cost r) (sel r) k) (fun k => value E th k (sel r k) - asked (cost th) (sel r) k) (others E i))
    by (intros k Hk; now rewrite A).
  unfold objective. rewrite !sum_sub.
  assert (C : sum (fun k => sum (weight E th k) (sel r k)) (seq 0 (clients E)) =
    sum (asked (cost th) (sel r)) (seq 0 (clients E)) + sum (fun k => sum (pen E th k) (sel r k)) (seq 0 (clients E))).
  { unfold asked. rewrite <- (trade_swap _ E (sel r) (fun _ j => cost th j)) by now apply sel_feasible. rewrite <- sum_add.
    apply sum_ext. intros k _. unfold weight. apply sum_add. }
  rewrite C, (sum_without _ (fun k => value E th k (sel r k)) i _ (seq_NoDup _ _) Ii), (sum_without _ (asked (cost th) (sel r)) i _ (seq_NoDup _ _) Ii).
  unfold others. ring.
Qed.
(** Reports that agree outside i show every importer k <> i the same market without i. *)
Lemma others_true_top th r i k : own_sizes -> others_true th r i -> k <> i -> top E r k (without i (others E k)) = top E th k (without i (others E k)).
Proof.
  intros L O D. apply top_ext. intros s Hs. destruct (O k D) as (Hn & _ & HK).
  assert (In_s : forall j, In j s -> j <> i) by (intros j Hj; apply (subsets_incl _ _ Hs) in Hj; apply without_In in Hj; tauto).
  assert (S : forall j, In j s -> samples E r k j = samples E th k j) by (intros j Hj; apply L; [assumption|now apply O, In_s]).
  unfold objective, value, data. rewrite Hn, HK. f_equal; [f_equal; f_equal; now apply sum_ext|].
  apply sum_ext. intros j Hj. unfold weight, pen. rewrite (S j Hj), Hn. now destruct (O j (In_s j Hj)) as (_ & -> & _).
Qed.
(** With the true own numbers as well, the report is the truth in everything that is read. *)
Lemma all_true_objective th r k s : own_sizes -> (forall j, size r j = size th j /\ cost r j = cost th j /\ gain r j = gain th j) ->
  objective E r k s = objective E th k s.
Proof.
  intros L O. destruct (O k) as (Hn & _ & HK). assert (S : forall j, samples E r k j = samples E th k j) by (intro j; apply L; apply O).
  unfold objective, value, data. rewrite Hn, HK. f_equal; [f_equal; f_equal; now apply sum_ext|].
  apply sum_ext. intros j _. unfold weight, pen. rewrite S, Hn. now destruct (O j) as (_ & -> & _).
Qed.
Lemma say_true (th : types) i : forall j, let r := say th i (cost th i) (gain th i) (size th i) in size r j = size th j /\ cost r j = cost th j /\ gain r j = gain th j.
Proof. intro j. cbn. unfold put. destruct (Nat.eqb_spec j i); subst; auto. Qed.
(** No lie about cost, gain or size, alone or together, pays when the others tell the truth. *)
Theorem realised_expost th i c k n : own_sizes -> (i < clients E)%nat ->
  realised_utility th (say th i c k n) i <= realised_utility th (say th i (cost th i) (gain th i) (size th i)) i.
Proof.
  intros L Hi. set (t := say th i (cost th i) (gain th i) (size th i)).
  rewrite !realised_is_total by (assumption || apply others_true_say).
  assert (P : sum (fun j => top E (say th i c k n) j (without i (others E j))) (others E i) = sum (fun j => top E t j (without i (others E j))) (others E i)).
  { apply sum_ext. intros j Hj. apply others_In in Hj as [_ D].
    rewrite (others_true_top th (say th i c k n) i j L (others_true_say _ _ _ _ _) D). symmetry. apply others_true_top; auto. apply others_true_say. }
  rewrite P. assert (H : sum (fun j => objective E th j (sel (say th i c k n) j)) (seq 0 (clients E)) <= sum (fun j => objective E th j (sel t j)) (seq 0 (clients E))).
  { apply sum_le. intros j _. rewrite <- !(all_true_objective th t j) by (assumption || apply say_true). apply (sel_best N E sel exact), (sel_in _ _ _ exact). }
  slack1 H.
Qed.
(** At the truth nobody loses. *)
Theorem realised_ir th i : own_sizes -> starts_at_zero E -> valid E th -> (i < clients E)%nat -> 0 <= realised_utility th th i.
Proof.
  intros L Z V Hi. rewrite realised_is_total by (assumption || (intros k _; auto)). assert (Ii : In i (seq 0 (clients E))) by (apply in_seq; lia).
  rewrite (sum_without _ _ i _ (seq_NoDup _ _) Ii). fold (others E i).
  assert (A : sum (fun k => top E th k (without i (others E k))) (others E i) <= sum (fun k => objective E th k (sel th k)) (others E i)).
  { apply sum_le. intros k _. rewrite (sel_top _ _ _ exact). apply top_mono. }
  destruct (V i Hi) as (Hn & _ & Hk). pose proof (sel_best N E sel exact th i nil (subsets_nil _)) as H. unfold objective in H at 1. cbn [sum] in H.
  replace (value E th i nil) with (@zero N) in H.
  - slack2 A H.
  - unfold value, data. cbn. replace (size th i + 0) with (size th i) by ring. now rewrite Z.
Qed.
(** At the truth it is efficient: the set that was chosen is the best for the true types. *)
Theorem realised_efficient p : efficient E (Mechanism sel p).
Proof. now apply exact_efficient. Qed.

(** ** The bilateral form: p_kj = g_k - costs of the others - penalties - W_k(M without j), exactly balanced. *)
Definition bilateral_price (th r : types) (k j : nat) : N :=
  value E th k (sel r k) - sum (cost r) (without j (sel r k)) - sum (pen E th k) (sel r k) - top E r k (without j (others E k)).
Definition realised_bilateral (th : types) : mechanism N := Mechanism sel (bilateral_price th).
Theorem realised_bilateral_balanced th : balanced E (realised_bilateral th).
Proof. apply bilateral_balance. intro r. now apply sel_feasible. Qed.
(** What i earns from k is V_k measured at the truth, less W_k(M without i). *)
Lemma bilateral_earns th r k i : own_sizes -> others_true th r i -> k <> i -> In i (sel r k) ->
  bilateral_price th r k i - cost th i = objective E th k (sel r k) - top E th k (without i (others E k)).
Proof.
  intros L O D B. unfold bilateral_price. rewrite (others_true_top th r i k L O D). unfold objective, weight. rewrite sum_add.
  rewrite (sum_without _ (cost th) i _ (sel_NoDup N E sel exact r k) B).
  rewrite (sum_ext _ (cost r) (cost th) (without i (sel r k))); [ring|]. intros j Hj. apply without_In in Hj as [_ Hj]. now apply O.
Qed.
(** Sellers: no lie about cost, gain or size earns more by sales when the others tell the truth. *)
Theorem realised_bilateral_expost_seller th i c k n : own_sizes ->
  sold E (realised_bilateral th) th (say th i c k n) i <= sold E (realised_bilateral th) th (say th i (cost th i) (gain th i) (size th i)) i.
Proof.
  intro L. set (t := say th i (cost th i) (gain th i) (size th i)). apply sum_le. intros j Hj. apply others_In in Hj as [_ D].
  cbn [realised_bilateral buys price].
  assert (T : objective E th j (sel t j) - top E th j (without i (others E j)) <= (if mem i (sel t j) then bilateral_price th t j i - cost th i else 0)).
  { destruct (mem i (sel t j)) eqn:B.
    - apply mem_In in B. apply le_eq. symmetry. apply bilateral_earns; auto. apply others_true_say.
    - apply mem_not_In in B. pose proof (top_best _ E th j (without i (others E j)) (sel t j)) as H.
      specialize (H (subsets_without _ _ _ (sel_in _ _ _ exact t j) B)). slack1 H. }
  assert (M : forall s, In s (subsets (others E j)) -> objective E th j s <= objective E th j (sel t j)).
  { intros s Hs. rewrite <- !(all_true_objective th t j) by (assumption || apply say_true). now apply (sel_best N E sel exact). }
  destruct (mem i (sel (say th i c k n) j)) eqn:B.
  - apply mem_In in B. rewrite bilateral_earns by (auto; apply others_true_say).
    pose proof (M _ (sel_in _ _ _ exact (say th i c k n) j)) as H. slack2 H T.
  - apply (le_trans N _ (objective E th j (sel t j) - top E th j (without i (others E j)))); [|exact T].
    apply le_diff, M. apply subsets_filter_sub with (fun a => negb (Nat.eqb i a)). apply best_In.
Qed.
(** No lie about cost alone pays, in any part: what i buys and pays reads no cost of its own. *)
Theorem realised_bilateral_expost_cost th i b : own_sizes -> (i < clients E)%nat ->
  utility E (realised_bilateral th) th (set_cost th i b) i <= utility E (realised_bilateral th) th (set_cost th i (cost th i)) i.
Proof.
  intros L Hi. unfold utility. assert (B : forall c, bought E (realised_bilateral th) th (set_cost th i c) i = bought E (realised_bilateral th) th th i).
  { intro c. unfold bought. cbn. pose proof (view_own_cost _ E th i c) as V. rewrite (sel_view N E sel exact _ _ _ V). f_equal. apply sum_ext. intros j Hj.
    unfold bilateral_price. rewrite (sel_view N E sel exact _ _ _ V). f_equal; [f_equal; f_equal|].
    - apply sum_ext. intros k Hk. apply without_In in Hk as [Hk _]. apply (sel_incl N E sel exact) in Hk. apply others_In in Hk. cbn. apply put_other. tauto.
    - apply top_view; [exact V|intros k Hk; now apply without_In in Hk]. }
  rewrite !B. assert (S : forall c, sold E (realised_bilateral th) th (set_cost th i c) i = sold E (realised_bilateral th) th (say th i c (gain th i) (size th i)) i).
  { intro c. apply sum_ext. intros k Hk. apply others_In in Hk as [_ D]. cbn [realised_bilateral buys price].
    assert (V : same_view E (set_cost th i c) (say th i c (gain th i) (size th i)) k).
    { assert (P : forall (f : nat -> N) x, put f i (f i) x = f x) by (intros f x; unfold put; destruct (Nat.eqb_spec x i); congruence).
      split; [symmetry; exact (P (size th) k)|]. split; [symmetry; exact (P (gain th) k)|]. intros x _.
      split; [reflexivity|]. apply L; symmetry; apply P. }
    rewrite (sel_view N E sel exact _ _ _ V). destruct (mem i _) eqn:M; [|reflexivity]. f_equal. unfold bilateral_price. rewrite (sel_view N E sel exact _ _ _ V). f_equal.
    apply top_view; [exact V|intros x Hx; now apply without_In in Hx]. }
  pose proof (realised_bilateral_expost_seller th i b (gain th i) (size th i) L) as H. rewrite <- !S in H. slack1 H.
Qed.
(** At the truth the prices are those of ipfl-exact. *)
Theorem realised_bilateral_at_truth th i : utility E (realised_bilateral th) th th i = utility E (ipfl_exact N E sel) th th i.
Proof.
  assert (P : forall k j, In j (sel th k) -> bilateral_price th th k j = critical N E th k j).
  { intros k j Hj. unfold bilateral_price, critical. rewrite <- (sel_top _ _ _ exact). unfold objective, weight. rewrite sum_add, (sum_without _ (cost th) j _ (sel_NoDup N E sel exact th k) Hj). ring. }
  unfold utility, bought, sold. cbn [realised_bilateral ipfl_exact buys price]. f_equal.
  - f_equal. apply sum_ext. intros j Hj. now apply P.
  - apply sum_ext. intros k _. destruct (mem i (sel th k)) eqn:M; [|reflexivity]. apply mem_In in M. now rewrite P.
Qed.
End Realised.
