(** * ipfl, the rule in the authors' code: falling thresholds, stop at the first failure, marginal payments

    The threshold of j for i is the total data x at which j stops being worth its weight: G_i(x) - G_i(x - e_ij) = w_ij.
    Sellers are visited by falling threshold, equal ones in client order; the first that fails ends the search. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Falling market.Market market.Facts.
Import ListNotations.

Section Threshold.
Variable N : num.
Notation before := (before N).
Notation aboveb := (aboveb N).
Add Field field_threshold : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Notation types := (types N).

Definition under (held : N) (x : option N) : bool := match x with None => true | Some x => negb (leb x held) end.
(** The search: n are the sellers' samples, x their thresholds, [held] what the importer has. *)
Fixpoint take (n : nat -> N) (x : nat -> option N) (held : N) (l : list nat) : list nat :=
  match l with [] => [] | j :: t => if under (held + n j) (x j) then j :: take n x (held + n j) t else [] end.

(** x is the threshold of j for i: the root, none (+oo) where the weight is <= 0, e_ij where there is no root. *)
Definition root (r : types) (i j : nat) (x : N) : Prop :=
  samples E r i j < x /\ law E (gain r i) (size r i) x - law E (gain r i) (size r i) (x - samples E r i j) = weight E r i j.
Definition is_threshold (r : types) (i j : nat) (x : option N) : Prop :=
  match x with None => weight E r i j <= 0
  | Some x => 0 < weight E r i j /\ (root r i j x \/ x = samples E r i j /\ forall y, ~ root r i j y) end.
Record threshold_rule (x : types -> nat -> nat -> option N) (ord : types -> nat -> list nat) : Prop := ThresholdRule {
  thr_root : forall r i j, valid_market E -> valid E r -> (i < clients E)%nat -> (j < clients E)%nat -> is_threshold r i j (x r i j);
  ord_perm : forall r i, Permutation (ord r i) (others E i);
  ord_sorted : forall r i, StronglySorted (fun a b => before (x r i) a b = true) (ord r i) }.

Lemma under_above h y z : aboveb y z = true -> under h z = true -> under h y = true.
Proof.
  unfold under. destruct y as [y|], z as [z|]; cbn; try easy. intros H U. rewrite negb_true_iff in *.
  exact (lt_le_trans _ _ _ _ U H).
Qed.
Lemma under_less h h' y : h <= h' -> under h' y = true -> under h y = true.
Proof. unfold under. destruct y as [y|]; [|easy]. rewrite !negb_true_iff. intros H U. exact (le_lt_trans _ _ _ _ H U). Qed.

Variable x : types -> nat -> nat -> option N.
Variable ord : types -> nat -> list nat.
Hypothesis rule : threshold_rule x ord.

Definition taken (r : types) (i : nat) : list nat := take (samples E r i) (x r i) (size r i) (ord r i).
(** p_ij = the marginal contribution at the final set, less the penalty. *)
Definition marginal_price (r : types) (i j : nat) : N := marginal E r i (taken r i) j - pen E r i j.
Definition ipfl : mechanism N := Mechanism taken marginal_price.

Lemma take_incl n y l : forall held, incl (take n y held l) l.
Proof. induction l as [|j t IH]; intros held k; cbn; [tauto|]. destruct (under _ _); [|intros []]. intros [->|H]; [now left|]. right. now apply IH in H. Qed.
Lemma take_NoDup n y l : NoDup l -> forall held, NoDup (take n y held l).
Proof.
  induction 1 as [|j t Hj Ht IH]; intro held; cbn; [constructor|]. destruct (under _ _); [|constructor].
  constructor; [|apply IH]. intro F. now apply take_incl in F.
Qed.
(** All that were taken have thresholds above what is held in the end. *)
Lemma take_under n y l : StronglySorted (fun a b => before y a b = true) l -> forall held k,
  In k (take n y held l) -> under (held + sum n (take n y held l)) (y k) = true.
Proof.
  induction 1 as [|j t Hs IH Hj]; intros held k; cbn; [tauto|]. destruct (under (held + n j) (y j)) eqn:U; [|intros []].
  cbn. replace (held + (n j + sum n (take n y (held + n j) t))) with (held + n j + sum n (take n y (held + n j) t)) by ring.
  intros [<-|H]; [|now apply IH].
  destruct (take n y (held + n j) t) as [|u v] eqn:T; cbn.
  - now replace (held + n j + 0) with (held + n j) by ring.
  - apply (under_above _ _ (y u)).
    + rewrite Forall_forall in Hj. assert (B : before y j u = true).
      { apply Hj. apply (take_incl n y t (held + n j)). rewrite T. now left. }
      now apply andb_true_iff in B as [B _].
    + specialize (IH (held + n j) u). rewrite T in IH. apply IH. now left.
Qed.
Lemma ord_NoDup r i : NoDup (ord r i).
Proof. apply (Permutation_NoDup (Permutation_sym (ord_perm _ _ rule r i))), others_NoDup. Qed.
Lemma taken_NoDup r i : NoDup (taken r i).
Proof. apply take_NoDup, ord_NoDup. Qed.
Lemma taken_incl r i : incl (taken r i) (others E i).
Proof. intros j Hj. apply take_incl in Hj. now apply (Permutation_in _ (ord_perm _ _ rule r i)). Qed.
Lemma taken_feasible r : feasible E (taken r).
Proof. intros i _. split; [apply taken_NoDup|apply taken_incl]. Qed.

(** Every purchase is worth its weight to the final set: the last accepted threshold exceeds the final total. *)
Theorem taken_worth r i j : falling E -> rising E -> valid_market E -> valid E r -> (i < clients E)%nat -> In j (taken r i) ->
  weight E r i j <= marginal E r i (taken r i) j.
Proof.
  intros F R VM V Hi Hj. pose proof (taken_incl r i j Hj) as Hm. apply others_In in Hm as [Hm _].
  destruct (V i Hi) as (Hn & _ & HK). pose proof (samples_nonneg _ E r i j VM V Hi Hm) as Hs.
  assert (Hu := take_under _ _ _ (ord_sorted _ _ rule r i) (size r i) j Hj). fold (taken r i) in Hu.
  unfold marginal, value, data. rewrite (sum_without _ (samples E r i) j _ (taken_NoDup r i) Hj) in *.
  set (h := sum (samples E r i) (without j (taken r i))) in *. set (b := size r i + h).
  assert (Hh : 0 <= h).
  { apply sum_nonneg. intros k Hk. apply without_In in Hk as [Hk _]. apply taken_incl, others_In in Hk. apply samples_nonneg; tauto. }
  assert (Hb : 0 < b) by (unfold b; now apply add_positive).
  replace (size r i + (samples E r i j + h)) with (b + samples E r i j) in * by (unfold b; ring).
  assert (T := thr_root _ _ rule r i j VM V Hi Hm). destruct (x r i j) as [y|]; cbn in T, Hu.
  - rewrite negb_true_iff in Hu. destruct T as [_ [[Hy T]|[-> _]]].
    + rewrite <- T. assert (Ha : 0 <= y - (b + samples E r i j)) by (apply le_diff; now apply lt_le).
      pose proof (F (gain r i) (size r i) b (y - (b + samples E r i j)) (samples E r i j) HK Hn Hb Ha Hs) as Q.
      replace (b + (y - (b + samples E r i j)) + samples E r i j) with y in Q by ring.
      replace (b + (y - (b + samples E r i j))) with (y - samples E r i j) in Q by ring. exact Q.
    + exfalso. apply (lt_not_le _ _ _ Hu). apply lt_le in Hb. slack1 Hb.
  - apply (le_trans _ _ _ _ T). apply le_diff. apply R; auto.
Qed.
(** Sellers lose nothing where the law is concave and rises. *)
Theorem ipfl_ir_seller : falling E -> rising E -> ir_seller E ipfl.
Proof.
  intros F R th r i VM V Hi Hc. apply sum_nonneg. intros k Hk. cbn [ipfl buys price]. apply others_In in Hk.
  destruct (mem i (taken r k)) eqn:B; [|apply le_refl]. apply mem_In in B.
  pose proof (taken_worth r k i F R VM V ltac:(tauto) B) as W.
  unfold marginal_price. rewrite <- Hc. unfold weight in W. slack1 W.
Qed.
(** Buyers lose nothing where the law has falling increments. *)
Theorem ipfl_ir_buyer : falling E -> starts_at_zero E -> ir_buyer E ipfl.
Proof.
  intros F Z. apply at_most_marginal_ir_buyer; [assumption|assumption|apply taken_feasible|].
  intros r i j VM V Hi Hj. cbn [ipfl buys price] in *. apply taken_incl, others_In in Hj.
  pose proof (pen_nonneg _ E r i j VM V Hi ltac:(tauto)) as P. unfold marginal_price. slack1 P.
Qed.
Theorem ipfl_ir : falling E -> rising E -> starts_at_zero E -> ir E ipfl.
Proof. intros F R Z. apply ir_parts; [now apply ipfl_ir_buyer|now apply ipfl_ir_seller]. Qed.
Theorem ipfl_balanced : balanced E ipfl.
Proof. apply bilateral_balance, taken_feasible. Qed.
End Threshold.
