(** * threshold-skip: the search of ipfl that takes the next seller instead of stopping at the first failure

    It is individually rational and balanced, and overstating a cost never pays: a seller that is taken with an overstated cost is taken
    with the true one, in the very same set and at the same price. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Falling base.Insertion market.Market market.Facts market.Threshold market.Prefix.
Import ListNotations.

Section Skip.
Variable N : num.
Add Field field_skip : (num_field N).
Local Open Scope num_scope.
Notation before := (before N).
Notation aboveb := (aboveb N).
Notation under := (under N).

Fixpoint skip (n : nat -> N) (x : nat -> option N) (held : N) (l : list nat) : list nat :=
  match l with [] => [] | j :: t => if under (held + n j) (x j) then j :: skip n x (held + n j) t else skip n x held t end.
Lemma skip_incl n y l : forall held, incl (skip n y held l) l.
Proof.
  induction l as [|j t IH]; intros held k; cbn; [tauto|]. destruct (under _ _); [intros [->|H]; [now left|]|intro H]; right; eapply IH; exact H.
Qed.
Lemma skip_NoDup n y l : NoDup l -> forall held, NoDup (skip n y held l).
Proof.
  induction 1 as [|j t Hj Ht IH]; intro held; cbn; [constructor|]. destruct (under _ _); [|apply IH].
  constructor; [|apply IH]. intro F. now apply skip_incl in F.
Qed.
Lemma skip_app n y l l' : forall held, skip n y held (l ++ l') = skip n y held l ++ skip n y (held + sum n (skip n y held l)) l'.
Proof.
  induction l as [|j t IH]; intro held; cbn.
  - now replace (held + 0) with held by ring.
  - destruct (under (held + n j) (y j)); cbn; rewrite IH; [|reflexivity].
    now replace (held + n j + sum n (skip n y (held + n j) t)) with (held + (n j + sum n (skip n y (held + n j) t))) by ring.
Qed.
Lemma skip_ext n y y' l : (forall j, In j l -> y j = y' j) -> forall held, skip n y held l = skip n y' held l.
Proof.
  induction l as [|j t IH]; intros H held; cbn; [reflexivity|]. rewrite (H j (or_introl eq_refl)). rewrite !IH by (intros; apply H; now right). reflexivity.
Qed.
(** All that were taken have thresholds above what is held in the end. *)
Lemma skip_under n y l : StronglySorted (fun a b => before y a b = true) l -> forall held k,
  In k (skip n y held l) -> under (held + sum n (skip n y held l)) (y k) = true.
Proof.
  induction 1 as [|j t Hs IH Hj]; intros held k; cbn; [tauto|]. destruct (under (held + n j) (y j)) eqn:U; [|apply IH].
  cbn. replace (held + (n j + sum n (skip n y (held + n j) t))) with (held + n j + sum n (skip n y (held + n j) t)) by ring.
  intros [<-|H]; [|now apply IH].
  destruct (skip n y (held + n j) t) as [|u v] eqn:T; cbn.
  - now replace (held + n j + 0) with (held + n j) by ring.
  - apply (under_above N _ _ (y u)).
    + rewrite Forall_forall in Hj. assert (B : before y j u = true).
      { apply Hj. apply (skip_incl n y t (held + n j)). rewrite T. now left. }
      now apply andb_true_iff in B as [B _].
    + specialize (IH (held + n j) u). rewrite T in IH. apply IH. now left.
Qed.
(** What is taken between the true and the overstated place of j does not depend on j's being there, if j is taken at the latter. *)
Lemma skip_between n y z j l : (forall a, In a l -> 0 <= n a) -> 0 <= n j -> (forall a, In a l -> aboveb (y a) z = true) -> forall held,
  under (held + sum n (skip n y held l) + n j) z = true -> skip n y (held + n j) l = skip n y held l.
Proof.
  intros P Pj. induction l as [|a t IH]; intros Z held U; [reflexivity|]. cbn in *.
  assert (Pt : forall b, In b t -> 0 <= n b) by (intros; apply P; now right). specialize (IH Pt (fun b Hb => Z b (or_intror Hb))).
  destruct (under (held + n a) (y a)) eqn:F.
  - cbn in U. set (s := sum n (skip n y (held + n a) t)) in *.
    assert (S0 : 0 <= s) by (apply sum_nonneg; intros b Hb; apply Pt; now apply skip_incl in Hb).
    assert (G : under (held + n j + n a) (y a) = true).
    { apply (under_above N _ _ z); [apply Z; now left|]. apply (under_less N _ (held + (n a + s) + n j)); [|exact U]. slack1 S0. }
    rewrite G. f_equal. replace (held + n j + n a) with (held + n a + n j) by ring. apply IH. fold s.
    now replace (held + n a + s + n j) with (held + (n a + s) + n j) by ring.
  - destruct (under (held + n j + n a) (y a)) eqn:G; [exfalso|now apply IH].
    assert (F' : under (held + n a) (y a) = true) by (apply (under_less N _ (held + n j + n a)); [slack1 Pj|exact G]). congruence.
Qed.

Variable E : market N.
Variable x : types N -> nat -> nat -> option N.
Variable ord : types N -> nat -> list nat.
Hypothesis rule : threshold_rule N E x ord.
Notation types := (types N).
Definition kept (r : types) (i : nat) : list nat := skip (samples E r i) (x r i) (size r i) (ord r i).
Definition kept_price (r : types) (i j : nat) : N := marginal E r i (kept r i) j - pen E r i j.
Definition threshold_skip : mechanism N := Mechanism kept kept_price.
Lemma kept_NoDup r i : NoDup (kept r i).
Proof. apply skip_NoDup, (ord_NoDup N E x ord rule). Qed.
Lemma kept_incl r i : incl (kept r i) (others E i).
Proof. intros j Hj. apply skip_incl in Hj. now apply (Permutation_in _ (ord_perm _ _ _ _ rule r i)). Qed.
Lemma kept_feasible r : feasible E (kept r).
Proof. intros i _. split; [apply kept_NoDup|apply kept_incl]. Qed.
Theorem kept_worth r i j : falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat -> In j (kept r i) ->
  weight E r i j <= marginal E r i (kept r i) j.
Proof.
  intros F R VM V Hi Hj. pose proof (kept_incl r i j Hj) as Hm. apply others_In in Hm as [Hm _].
  destruct (V i Hi) as (Hn & _ & HK). pose proof (samples_nonneg _ E r i j VM V Hi Hm) as Hs.
  assert (Hu := skip_under _ _ _ (ord_sorted _ _ _ _ rule r i) (size r i) j Hj). fold (kept r i) in Hu.
  unfold marginal, value, data. rewrite (sum_without _ (samples E r i) j _ (kept_NoDup r i) Hj) in *.
  set (h := sum (samples E r i) (without j (kept r i))) in *. set (b := size r i + h).
  assert (Hh : 0 <= h).
  { apply sum_nonneg. intros k Hk. apply without_In in Hk as [Hk _]. apply kept_incl, others_In in Hk. apply samples_nonneg; tauto. }
  assert (Hb : 0 < b) by (unfold b; now apply add_positive).
  replace (size r i + (samples E r i j + h)) with (b + samples E r i j) in * by (unfold b; ring).
  assert (T := thr_root _ _ _ _ rule r i j VM V Hi Hm). destruct (x r i j) as [y|]; cbn in T, Hu.
  - rewrite negb_true_iff in Hu. destruct T as [_ [[Hy T]|[-> _]]].
    + rewrite <- T. assert (Ha : 0 <= y - (b + samples E r i j)) by (apply le_diff; now apply lt_le).
      pose proof (F (gain r i) (size r i) b (y - (b + samples E r i j)) (samples E r i j) HK Hn Hb Ha Hs) as Q.
      replace (b + (y - (b + samples E r i j)) + samples E r i j) with y in Q by ring.
      replace (b + (y - (b + samples E r i j))) with (y - samples E r i j) in Q by ring. exact Q.
    + exfalso. apply (lt_not_le _ _ _ Hu). apply lt_le in Hb. slack1 Hb.
  - apply (le_trans _ _ _ _ T). apply le_diff. apply R; auto.
Qed.
Theorem skip_ir_seller : falling E -> rising E -> ir_seller E threshold_skip.
Proof.
  intros F R th r i VM V Hi Hc. apply sum_nonneg. intros k Hk. cbn [threshold_skip buys price]. apply others_In in Hk.
  destruct (mem i (kept r k)) eqn:B; [|apply le_refl]. apply mem_In in B.
  pose proof (kept_worth r k i F R VM V ltac:(tauto) B) as W.
  unfold kept_price. rewrite <- Hc. unfold weight in W. slack1 W.
Qed.
Theorem skip_ir_buyer : falling E -> starts_at_zero E -> ir_buyer E threshold_skip.
Proof.
  intros F Z. apply at_most_marginal_ir_buyer; [assumption|assumption|apply kept_feasible|].
  intros r i j VM V Hi Hj. cbn [threshold_skip buys price] in *. apply kept_incl, others_In in Hj.
  pose proof (pen_nonneg _ E r i j VM V Hi ltac:(tauto)) as P. unfold kept_price. slack1 P.
Qed.
Theorem skip_ir : falling E -> rising E -> starts_at_zero E -> ir E threshold_skip.
Proof. intros F R Z. apply ir_parts; [now apply skip_ir_buyer|now apply skip_ir_seller]. Qed.
Theorem skip_balanced : balanced E threshold_skip.
Proof. apply bilateral_balance, kept_feasible. Qed.

Hypothesis falls : thresholds_fall N E x.
Section Lie.
Variables (r : types) (i : nat) (b : N).
Hypotheses (VM : valid_market E) (V : valid E r) (Hi : (i < clients E)%nat) (Hb : cost r i <= b).
Let r' := set_cost r i b.
Lemma stays k j : (k < clients E)%nat -> In j (others E k) -> j <> i -> x r' k j = x r k j.
Proof. intros Hk Hj D. eapply others_stay; eassumption. Qed.
(** Taken on the lie: taken on the truth, in the same set. *)
Theorem skip_same k : (k < clients E)%nat -> k <> i -> In i (kept r' k) -> In i (kept r k) /\ Permutation (kept r' k) (kept r k).
Proof.
  intros Hk D T. set (y := x r k). set (y' := x r' k). set (n := samples E r k). set (rest := without i (others E k)).
  assert (Io : In i (others E k)) by (apply others_In; auto). set (m := sort nat (before y) rest).
  assert (Nd := others_NoDup N E k).
  assert (O : ord r k = insert nat (before y) i m).
  { unfold m, rest. rewrite <- (falling_insert N y _ i Nd Io). apply (sorted_unique N y); [apply (ord_sorted _ _ _ _ rule)|apply sort_sorted_falling|].
    eapply perm_trans; [apply (ord_perm _ _ _ _ rule)|]. apply Permutation_sym, sort_perm. }
  assert (M : sort nat (before y') rest = m).
  { apply sort_ext. intros a c Ha Hc. apply without_In in Ha as [Ha Da], Hc as [Hc Dc]. unfold Falling.before, y, y'. now rewrite !stays. }
  assert (O' : ord r' k = insert nat (before y') i m).
  { rewrite <- M. unfold rest. rewrite <- (falling_insert N y' _ i Nd Io). apply (sorted_unique N y'); [apply (ord_sorted _ _ _ _ rule)|apply sort_sorted_falling|].
    eapply perm_trans; [apply (ord_perm _ _ _ _ rule)|]. apply Permutation_sym, sort_perm. }
  destruct (insert_split N y i m (sort_sorted_falling N y rest)) as (u & w & Em & Eu & Hu & Hw).
  assert (Sm' : StronglySorted (fun a c => before y' a c = true) m) by (rewrite <- M; apply sort_sorted_falling).
  destruct (insert_split N y' i m Sm') as (u' & w' & Em' & Eu' & Hu' & Hw').
  assert (Rest : forall a, In a m -> In a (others E k) /\ a <> i) by (intros a Ha; apply (Permutation_in _ (sort_perm _ _ _)), without_In in Ha; exact Ha).
  (* who is ahead of the truth is ahead of the lie: u is the beginning of u' *)
  assert (Ex : exists v, u' = u ++ v /\ w = v ++ w').
  { assert (Len : (length u <= length u')%nat).
    { destruct (Nat.le_gt_cases (length u) (length u')) as [L|L]; [assumption|exfalso].
      destruct (nth_error u (length u')) as [a|] eqn:Ea; [|apply nth_error_None in Ea; lia].
      assert (Au : In a u) by now apply nth_error_In in Ea. assert (Am : In a m) by (rewrite Em; apply in_or_app; now left). destruct (Rest a Am) as [Ao Da].
      assert (Aw : In a w').
      { assert (Ea' : nth_error m (length u') = Some a) by (rewrite Em, nth_error_app1; [assumption|lia]). rewrite Em', nth_error_app2 in Ea' by lia. now apply nth_error_In in Ea'. }
      apply Hw' in Aw. apply Da. apply (before_anti N y); [now apply Hu|]. eapply ahead_before; eassumption. }
    exists (skipn (length u) u'). pose proof Em as Q. rewrite Em' in Q.
    assert (F : firstn (length u) u' = u).
    { apply (f_equal (firstn (length u))) in Q. rewrite !firstn_app in Q. replace (length u - length u')%nat with 0%nat in Q by lia. replace (length u - length u)%nat with 0%nat in Q by lia.
      cbn in Q. rewrite !app_nil_r, firstn_all in Q. exact Q. }
    split; [rewrite <- F at 1; symmetry; apply firstn_skipn|].
    apply (f_equal (skipn (length u))) in Q. rewrite !skipn_app in Q. replace (length u - length u')%nat with 0%nat in Q by lia. replace (length u - length u)%nat with 0%nat in Q by lia.
    cbn in Q. rewrite skipn_all in Q. cbn in Q. now rewrite <- Q. }
  destruct Ex as (v & -> & ->). rewrite <- app_assoc in Em', Eu'.
  assert (In_v : forall a, In a v -> In a m) by (intros a Ha; rewrite Em; apply in_or_app; right; apply in_or_app; now left).
  assert (In_w : forall a, In a w' -> In a m) by (intros a Ha; rewrite Em; apply in_or_app; right; apply in_or_app; now right).
  assert (In_u : forall a, In a u -> In a m) by (intros a Ha; rewrite Em; apply in_or_app; now left).
  assert (Ext : forall l h, (forall a, In a l -> In a m) -> skip n y' h l = skip n y h l).
  { intros l h Hl. apply skip_ext. intros a Ha. destruct (Rest a (Hl a Ha)). now apply stays. }
  assert (Pos : forall a, In a (others E k) -> 0 <= n a) by (intros a Ha; apply others_In in Ha; apply samples_nonneg; tauto).
  set (h := size r k + sum n (skip n y (size r k) u)).
  set (t := skip n y h v).
  assert (Kl : kept r' k = skip n y (size r k) u ++ t ++ skip n y' (h + sum n t) (i :: w')).
  { unfold kept. change (samples E r' k) with n. change (size r' k) with (size r k). fold y'. rewrite O', Eu', !skip_app. rewrite !Ext by assumption. reflexivity. }
  assert (Kt : kept r k = skip n y (size r k) u ++ skip n y h (i :: v ++ w')).
  { unfold kept. fold n y. rewrite O, Eu, skip_app. reflexivity. }
  assert (Pass : under (h + sum n t + n i) (y' i) = true).
  { rewrite Kl in T. cbn [skip] in T. destruct (under (h + sum n t + n i) (y' i)); [reflexivity|exfalso].
    apply in_app_or in T as [T|T]; [apply skip_incl, In_u, Rest in T; tauto|]. apply in_app_or in T as [T|T]; [apply skip_incl, In_v, Rest in T; tauto|].
    apply skip_incl, In_w, Rest in T. tauto. }
  assert (St : 0 <= sum n t) by (apply sum_nonneg; intros a Ha; apply Pos, Rest, In_v; now apply skip_incl in Ha).
  assert (Above : aboveb (y i) (y' i) = true) by (eapply moves_back; eassumption).
  assert (Pass0 : under (h + n i) (y i) = true).
  { apply (under_above N _ _ (y' i)); [exact Above|]. apply (under_less N _ (h + sum n t + n i)); [slack1 St|exact Pass]. }
  assert (Between : skip n y (h + n i) v = t).
  { apply (skip_between n y (y' i) i v); [intros a Ha; apply Pos, Rest, In_v, Ha|now apply Pos| |exact Pass].
    intros a Ha. destruct (Rest a (In_v a Ha)) as [Ao Da]. assert (Bf : before y' a i = true) by (apply Hu', in_or_app; now right).
    apply andb_true_iff in Bf as [Bf _]. unfold y' in Bf at 1. now rewrite stays in Bf. }
  assert (Kt' : kept r k = skip n y (size r k) u ++ i :: t ++ skip n y (h + n i + sum n t) w').
  { rewrite Kt. cbn [skip]. rewrite Pass0, skip_app, Between. reflexivity. }
  assert (Kl' : kept r' k = skip n y (size r k) u ++ t ++ i :: skip n y (h + n i + sum n t) w').
  { rewrite Kl. cbn [skip]. rewrite Pass, Ext by assumption. now replace (h + sum n t + n i) with (h + n i + sum n t) by ring. }
  split; [rewrite Kt'; apply in_or_app; right; now left|]. rewrite Kt', Kl'. apply Permutation_app_head. apply Permutation_sym, Permutation_middle.
Qed.
End Lie.
Lemma value_perm (q : types) i s t : Permutation s t -> value E q i s = value E q i t.
Proof. intro P. unfold value, data. f_equal. f_equal. now apply sum_perm. Qed.
Lemma skip_own r i b th : valid_market E -> valid E r -> (i < clients E)%nat -> cost r i <= b ->
  bought E threshold_skip th (set_cost r i b) i = bought E threshold_skip th r i.
Proof.
  intros VM V Hi Hb. set (r' := set_cost r i b).
  assert (S : forall j, In j (others E i) -> x r' i j = x r i j).
  { intros j Hj. apply stays; try assumption. apply others_In in Hj. tauto. }
  assert (O : ord r' i = ord r i).
  { apply (sorted_unique N (x r i)); [|apply (ord_sorted _ _ _ _ rule)|].
    - pose proof (ord_sorted _ _ _ _ rule r' i) as Q. pose proof (ord_perm _ _ _ _ rule r' i) as P.
      assert (I : forall a, In a (ord r' i) -> In a (others E i)) by (intro a; now apply Permutation_in). clear P.
      induction Q as [|a t Qs IH Qa]; [constructor|]. constructor.
      + apply IH. intros c Hc. apply I. now right.
      + rewrite Forall_forall in *. intros c Hc. specialize (Qa c Hc). unfold Falling.before in *. now rewrite <- !S by (apply I; cbn; auto).
    - eapply perm_trans; [apply (ord_perm _ _ _ _ rule)|]. apply Permutation_sym, (ord_perm _ _ _ _ rule). }
  assert (K : kept r' i = kept r i).
  { unfold kept. rewrite O. apply skip_ext. intros j Hj. apply S. now apply (Permutation_in _ (ord_perm _ _ _ _ rule r i)). }
  unfold bought. cbn [threshold_skip buys price]. rewrite K. f_equal. apply sum_ext. intros j _. unfold kept_price. rewrite K. reflexivity.
Qed.
(** Overstating a cost never pays under threshold-skip either. *)
Theorem skip_overstating th r i b : falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat ->
  cost r i = cost th i -> cost th i <= b -> utility E threshold_skip th (set_cost r i b) i <= utility E threshold_skip th r i.
Proof.
  intros F R VM V Hi Hc Hb. rewrite <- Hc in Hb. unfold utility. rewrite skip_own by assumption.
  assert (H : sold E threshold_skip th (set_cost r i b) i <= sold E threshold_skip th r i).
  { apply sum_le. intros k Hk. apply others_In in Hk as [Hk D]. cbn [threshold_skip buys price].
    destruct (mem i (kept (set_cost r i b) k)) eqn:T; destruct (mem i (kept r k)) eqn:T0.
    - apply mem_In in T. destruct (skip_same r i b VM V Hi Hb k Hk D T) as [_ P]. apply le_eq. f_equal. unfold kept_price, marginal.
      change (pen E (set_cost r i b) k i) with (pen E r k i). change (value E (set_cost r i b) k) with (value E r k).
      rewrite (value_perm r k _ _ P). f_equal. f_equal. apply value_perm, NoDup_Permutation; try (apply without_NoDup, kept_NoDup).
      intro c. rewrite !without_In. split; intros [Hc' Dc]; (split; [|assumption]); eapply Permutation_in; try exact Hc'; [exact P|now apply Permutation_sym].
    - exfalso. apply mem_In in T. destruct (skip_same r i b VM V Hi Hb k Hk D T) as [T1 _]. apply mem_In in T1. congruence.
    - apply mem_In in T0. pose proof (kept_worth r k i F R VM V Hk T0) as W. unfold kept_price. rewrite <- Hc. unfold weight in W. slack1 W.
    - apply le_refl. }
  slack1 H.
Qed.
End Skip.
