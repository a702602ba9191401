(** * shapley-split: each seller gets its cost and its Shapley value of the game of the importer and its set

    v(T) = V_i(T without i) for coalitions that hold i, 0 for others.  The value is the mean over orders of what a player adds when
    it arrives; [orders] may hold all of them (the Shapley value) or a sample of them: what is proved holds for either. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact.
Import ListNotations.

Section Shapley.
Variable N : num.
Add Field field_shapley : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable sel : types N -> nat -> list nat.
Hypothesis exact : exact_rule N E sel.
Variable orders : types N -> nat -> list (list nat).
Notation types := (types N).
Definition are_orders : Prop := forall r i, orders r i <> [] /\ forall o, In o (orders r i) -> Permutation o (i :: sel r i).
Hypothesis perms : are_orders.

Definition worth (r : types) (i : nat) (t : list nat) : N := if mem i t then objective E r i (without i t) else 0.
(** What j adds on arrival, in the order [o], after those of [pre]. *)
Fixpoint adds (r : types) (i : nat) (pre o : list nat) (j : nat) : N :=
  match o with [] => 0 | k :: t => (if Nat.eqb k j then worth r i (k :: pre) - worth r i pre else 0) + adds r i (k :: pre) t j end.
Definition count {A : Type} (l : list A) : N := sum (fun _ => 1) l.
Definition phi (r : types) (i j : nat) : N := sum (fun o => adds r i [] o j) (orders r i) / count (orders r i).
Definition shapley_price (r : types) (i j : nat) : N := cost r j + phi r i j.
Definition shapley_split : mechanism N := Mechanism sel shapley_price.

Lemma objective_perm r i s t : Permutation s t -> objective E r i s = objective E r i t.
Proof. intro P. unfold objective, value, data. now rewrite !(sum_perm N _ _ _ P). Qed.
Section Importer.
Variables (r : types) (i : nat).
Hypotheses (F : falling E) (Z : starts_at_zero E) (VM : valid_market E) (V : valid E r) (Hi : (i < clients E)%nat).
Let S := sel r i.
Lemma out : ~ In i S.
Proof. intro H. apply (sel_incl N E sel exact), others_In in H. tauto. Qed.
Lemma S_nonneg j : In j S -> 0 <= samples E r i j.
Proof. intro H. apply (sel_incl N E sel exact), others_In in H. apply samples_nonneg; tauto. Qed.
(** Each seller of the best set is worth its weight to every part of it. *)
Lemma grows t k : incl t S -> NoDup t -> In k S -> ~ In k t -> objective E r i t <= objective E r i (k :: t).
Proof.
  intros I Nt Hk Hkt. destruct (V i Hi) as (Hn & _ & HK).
  pose proof (sel_best N E sel exact r i (without k S) (subsets_filter_sub _ _ _ (subsets_filter (fun j => negb (Nat.eqb k j)) _ _ (sel_in _ _ _ exact r i)))) as B.
  fold S in B. pose proof (sel_NoDup N E sel exact r i) as Ns. fold S in Ns.
  unfold objective, value, data in B. rewrite !(sum_without _ _ k S Ns Hk) in B.
  set (h := sum (samples E r i) (without k S)) in *. set (g := sum (samples E r i) t).
  assert (Hg : 0 <= g) by (apply sum_nonneg; intros j Hj; apply S_nonneg, I, Hj).
  assert (Hgh : g <= h).
  { unfold g, h. rewrite (sum_within N (samples E r i) t (without k S) Nt); [|now apply without_NoDup|].
    - apply sum_le. intros j Hj. destruct (mem j t); [apply le_refl|]. apply S_nonneg. now apply without_In in Hj.
    - intros j Hj. apply without_In. split; [now apply I|]. intros ->. contradiction. }
  pose proof (F (gain r i) (size r i) (size r i + g) (h - g) (samples E r i k) HK Hn (add_positive N _ _ Hn Hg) (le_diff N _ _ Hgh) (S_nonneg k Hk)) as Q.
  unfold objective, value, data. cbn [sum]. fold g.
  replace (size r i + g + (h - g) + samples E r i k) with (size r i + (samples E r i k + h)) in Q by ring.
  replace (size r i + g + (h - g)) with (size r i + h) in Q by ring.
  replace (size r i + g + samples E r i k) with (size r i + (samples E r i k + g)) in Q by ring.
  slack2 B Q.
Qed.
Lemma nonneg_parts t : incl t S -> NoDup t -> 0 <= objective E r i t.
Proof.
  induction t as [|k t IH]; intros I Nt.
  - destruct (V i Hi) as (Hn & _ & HK). apply le_eq. unfold objective, value, data. cbn. replace (size r i + 0) with (size r i) by ring. rewrite Z by assumption. ring.
  - inversion_clear Nt. assert (It : incl t S) by (intros j Hj; apply I; now right).
    apply (le_trans N _ (objective E r i t)); [now apply IH|]. apply grows; auto. apply I. now left.
Qed.
(** Nobody takes away on arrival. *)
Lemma arrival pre k : incl (k :: pre) (i :: S) -> NoDup (k :: pre) -> worth r i pre <= worth r i (k :: pre).
Proof.
  intros I Nd. inversion_clear Nd as [|? ? Nk Np]. unfold worth. cbn [mem existsb].
  assert (W : incl (without i pre) S).
  { intros j Hj. apply without_In in Hj as [Hj D]. destruct (I j (or_intror Hj)) as [E0|H]; [congruence|exact H]. }
  destruct (Nat.eqb_spec i k) as [Ek|D]; cbn [orb].
  - rewrite <- Ek in *. replace (mem i pre) with false by (symmetry; now apply mem_not_In). cbn [without filter]. rewrite Nat.eqb_refl. cbn [negb].
    apply nonneg_parts; [exact W|now apply without_NoDup].
  - change (existsb (Nat.eqb i) pre) with (mem i pre). destruct (mem i pre); [|apply le_refl].
    cbn [without filter]. destruct (Nat.eqb_spec i k); [contradiction|]. cbn [negb]. apply grows; [exact W|now apply without_NoDup| |].
    + destruct (I k (or_introl eq_refl)) as [E0|H]; [congruence|exact H].
    + intro H. now apply without_In in H as [H _].
Qed.
Lemma NoDup_left : forall (a b : list nat), NoDup (a ++ b) -> NoDup a.
Proof.
  induction a as [|c t IH]; intros b H; [constructor|]. cbn in H. inversion_clear H as [|? ? Nc Nt]. constructor; [|now apply (IH b)].
  intro Hc. apply Nc, in_or_app. now left.
Qed.
Lemma adds_nonneg j : forall o pre, Permutation (pre ++ o) (i :: S) -> 0 <= adds r i pre o j.
Proof.
  induction o as [|k t IH]; intros pre P; [apply le_refl|]. cbn [adds].
  assert (P' : Permutation ((k :: pre) ++ t) (i :: S)) by (eapply perm_trans; [|exact P]; cbn; apply Permutation_middle).
  apply add_nonneg; [|now apply IH]. destruct (Nat.eqb k j); [|apply le_refl]. apply le_diff, arrival.
  - intros c Hc. apply (Permutation_in _ P'), in_or_app. now left.
  - assert (Nd : NoDup ((k :: pre) ++ t)).
    { apply (Permutation_NoDup (Permutation_sym P')). constructor; [apply out|apply (sel_NoDup N E sel exact)]. }
    exact (NoDup_left _ _ Nd).
Qed.
(** In each order the players together add the worth of all. *)
Lemma adds_total l : NoDup l -> forall o pre, incl o l -> NoDup o -> sum (adds r i pre o) l = worth r i (rev o ++ pre) - worth r i pre.
Proof.
  intro Nl. induction o as [|k t IH]; intros pre I No.
  - cbn. rewrite sum_zero. ring.
  - inversion_clear No. cbn [adds]. rewrite sum_add, IH; [|intros c Hc; apply I; now right|assumption].
    cbn [rev]. rewrite <- app_assoc. cbn [app].
    assert (K : sum (fun j => if Nat.eqb k j then worth r i (k :: pre) - worth r i pre else 0) l = worth r i (k :: pre) - worth r i pre).
    { rewrite (sum_without N _ k l Nl (I k (or_introl eq_refl))), Nat.eqb_refl.
      rewrite (sum_ext N _ (fun _ => 0)), sum_zero; [ring|]. intros j Hj. apply without_In in Hj as [_ D]. destruct (Nat.eqb_spec k j); congruence. }
    rewrite K. ring.
Qed.
Lemma count_positive {A : Type} (l : list A) : l <> [] -> (0 : N) < count l.
Proof.
  destruct l as [|a t]; [congruence|intros _]. unfold count. cbn. assert (P : 0 <= sum (fun _ : A => (1 : N)) t) by (apply sum_nonneg; intros; apply one_nonneg).
  apply add_positive; [|exact P]. destruct (le_or_lt N 1 0) as [H|H]; [exfalso|exact H].
  assert (Q : (1 : N) = 0) by (apply (le_anti N); [exact H|apply one_nonneg]). destruct (num_field N) as [_ X _ _]. now apply X.
Qed.
Lemma phi_nonneg j : 0 <= phi r i j.
Proof.
  destruct (perms r i) as [Hne Ho]. pose proof (count_positive _ Hne) as C. unfold phi.
  replace (_ / _) with (sum (fun o => adds r i [] o j) (orders r i) * inv (count (orders r i))) by (field; now apply lt_neq in C).
  apply mul_nonneg; [|now apply inv_nonneg]. apply sum_nonneg. intros o H. apply adds_nonneg. now apply Ho.
Qed.
(** The values of all players sum to the worth of the whole set. *)
Lemma phi_total : sum (phi r i) (i :: S) = objective E r i S.
Proof.
  destruct (perms r i) as [Hne Ho]. pose proof (count_positive _ Hne) as C. apply lt_neq in C.
  assert (Np : NoDup (i :: S)) by (constructor; [apply out|apply (sel_NoDup N E sel exact)]).
  assert (T : sum (fun j => sum (fun o => adds r i [] o j) (orders r i)) (i :: S) = objective E r i S * count (orders r i)).
  { rewrite sum_swap. rewrite (sum_ext N _ (fun _ => objective E r i S)).
    - unfold count. generalize (orders r i). induction l as [|o t IH]; cbn; [ring|]. rewrite IH. ring.
    - intros o H. specialize (Ho o H). rewrite (adds_total (i :: S) Np).
      + rewrite app_nil_r. unfold worth at 2. cbn. assert (M : mem i (rev o) = true).
        { apply mem_In. rewrite <- in_rev. apply (Permutation_in _ (Permutation_sym Ho)). now left. }
        unfold worth. rewrite M. replace (objective E r i (without i (rev o))) with (objective E r i S); [ring|]. apply objective_perm, NoDup_Permutation.
        * apply (sel_NoDup N E sel exact).
        * apply without_NoDup, NoDup_rev, (Permutation_NoDup (Permutation_sym Ho)), Np.
        * intro c. rewrite without_In, <- in_rev. split.
          { intro Hc. split; [apply (Permutation_in _ (Permutation_sym Ho)); now right|]. intros ->. now apply out. }
          { intros [Hc D]. apply (Permutation_in _ Ho) in Hc. destruct Hc; [congruence|assumption]. }
      + intros c Hc. now apply (Permutation_in _ Ho).
      + apply (Permutation_NoDup (Permutation_sym Ho)), Np. }
  unfold phi. rewrite (sum_ext N _ (fun j => inv (count (orders r i)) * sum (fun o => adds r i [] o j) (orders r i))) by (intros; field; exact C).
  assert (L : forall (f : nat -> N) c l, sum (fun j => c * f j) l = c * sum f l).
  { intros f c l. induction l as [|a t IH]; cbn; [ring|]. rewrite IH. ring. }
  rewrite L, T. field. exact C.
Qed.
End Importer.
(** Nobody loses where increments of the law fall: a seller adds something to every part of the best set, and so does the buyer. *)
Theorem shapley_ir_seller : falling E -> starts_at_zero E -> ir_seller E shapley_split.
Proof.
  intros F Z th r i VM V Hi Hc. apply sum_nonneg. intros k Hk. apply others_In in Hk as [Hk _]. cbn [shapley_split buys price].
  destruct (mem i (sel r k)); [|apply le_refl]. unfold shapley_price. rewrite Hc. pose proof (phi_nonneg r k F Z VM V Hk i) as P. slack1 P.
Qed.
Theorem shapley_ir_buyer : falling E -> starts_at_zero E -> ir_buyer E shapley_split.
Proof.
  intros F Z th r i VM V Hi D HK. unfold bought. cbn [shapley_split buys price]. rewrite <- (value_true _ E th r i _ D HK).
  pose proof (phi_total r i) as T. cbn [sum] in T. pose proof (phi_nonneg r i F Z VM V Hi i) as P.
  assert (Pn : 0 <= sum (pen E r i) (sel r i)).
  { apply sum_nonneg. intros j Hj. apply (sel_incl N E sel exact), others_In in Hj. apply pen_nonneg; tauto. }
  unfold shapley_price. rewrite sum_add. unfold objective, weight in T. rewrite sum_add in T.
  assert (G : sum (phi r i) (sel r i) = value E r i (sel r i) - (sum (cost r) (sel r i) + sum (pen E r i) (sel r i)) - phi r i i) by (rewrite <- T; ring).
  rewrite G. slack2 P Pn.
Qed.
Theorem shapley_ir : falling E -> starts_at_zero E -> ir E shapley_split.
Proof. intros F Z. apply ir_parts; [now apply shapley_ir_buyer|now apply shapley_ir_seller]. Qed.
Theorem shapley_balanced : balanced E shapley_split.
Proof. apply bilateral_balance. intro r. now apply sel_feasible. Qed.
Theorem shapley_efficient : efficient E shapley_split.
Proof. now apply exact_efficient. Qed.
Theorem shapley_monotone : monotone E shapley_split.
Proof. now apply exact_monotone. Qed.
End Shapley.
