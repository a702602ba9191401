(** * Groups, and bosses: what a seller that does not sell can do for one that does

    One importer with K = 5 and n = 1 at the law K/n - K/x; sellers of 4 at costs 1 and 2, all others want nothing.  The first sells; the
    second's cost is what its price rests on.  Saying more, the second loses nothing and the first is paid more: under ipfl-exact,
    and under pooled and clock-like prices on effective data, where no client alone can gain by any lie. *)
From Coq Require Import QArith Qcanon List Bool Arith Lia.
From MarketKernel Require Import base.Num base.Sets base.Rank base.Rationals market.Market market.Facts market.Laws market.Exact market.Offers market.Pooled.
Import ListNotations.

Section Groups.
Variable N : num.
Local Open Scope num_scope.
Variable E : market N.
Variable M : mechanism N.
(** r and r' are the same but for what these clients say. *)
Definition same_but (s : list nat) (r r' : types N) : Prop := forall j, ~ In j s -> cost r j = cost r' j /\ gain r j = gain r' j /\ size r j = size r' j.
(** No group can report so that none of it loses and one gains, whatever the others say. *)
Definition group_dsic : Prop := forall th r r' s, same_but s r r' -> (forall j, In j s -> cost r j = cost th j /\ gain r j = gain th j /\ size r j = size th j) ->
  ~ ((forall i, In i s -> (i < clients E)%nat /\ utility E M th r i <= utility E M th r' i) /\ exists i, In i s /\ utility E M th r i < utility E M th r' i).
(** A client that changes nothing for itself changes nothing for anybody. *)
Definition non_bossy : Prop := forall r r' i, same_but [i] r r' -> buys M r i = buys M r' i -> (forall j, In j (buys M r i) -> price M r i j = price M r' i j) ->
  (forall k, (k < clients E)%nat -> mem i (buys M r k) = mem i (buys M r' k) /\ (In i (buys M r k) -> price M r k i = price M r' k i)) ->
  forall k j, (k < clients E)%nat -> In j (buys M r k) -> In j (buys M r' k) /\ price M r k j = price M r' k j.
(** A group of one is a client, so that what fails for one fails for groups. *)
Theorem group_of_one : group_dsic -> dsic E M.
Proof.
  intros G th r i c k n Hi. destruct (le_or_lt N (utility E M th (say r i c k n) i) (utility E M th (say r i (cost th i) (gain th i) (size th i)) i)) as [H|H]; [exact H|exfalso].
  apply (G th (say r i (cost th i) (gain th i) (size th i)) (say r i c k n) [i]).
  - intros j D. cbn. assert (j <> i) by (intros ->; apply D; now left). now rewrite !put_other.
  - intros j [<-|[]]. cbn. now rewrite !put_same.
  - split; [|exists i; split; [now left|exact H]]. intros j [<-|[]]. split; [exact Hi|now apply lt_le].
Qed.
End Groups.

Local Open Scope Qc_scope.
Definition two (sizes : bool) : market rationals := @Market rationals 3 (hyper rationals)
  (if sizes then @plain rationals else @effective rationals (fun i j => match i, j with O, S _ => 1+1+1+1 | _, _ => 0 end)) (fun _ _ => 0) 0.
Definition five : Qc := 1+1+1+1+1.
(** The second of them asks so much. *)
Definition asking (second : Qc) : types rationals := @Types rationals (fun i => match i with O => 1 | _ => 1+1+1+1 end)
  (fun i => match i with S (S O) => second | _ => 1 end) (fun i => match i with O => five | _ => 0 end).
Definition truth := asking (1+1).
Definition lie := asking (1+1+1).
Lemma alike : same_but rationals [2%nat] truth lie.
Proof. intros [|[|[|j]]] H; cbn; auto. exfalso. apply H. now left. Qed.

Definition said (r : types rationals) : Prop := r = truth \/ r = lie.
Lemma says_truth : said truth. Proof. now left. Qed.
Lemma says_lie : said lie. Proof. now right. Qed.

(** A best set that is the only one is every rule's. *)
Definition alone (f : list nat -> Qc) (best : list nat) (l : list (list nat)) : bool :=
  forallb (fun s => (if list_eq_dec Nat.eq_dec s best then true else false) || negb (Qcleb (f best) (f s))) l.
Lemma only_best f best l s : alone f best l = true -> In s l -> Qcleb (f best) (f s) = true -> s = best.
Proof.
  unfold alone. rewrite forallb_forall. intros A Hs F. specialize (A s Hs). destruct (list_eq_dec Nat.eq_dec s best); [assumption|]. cbn in A. now rewrite F in A.
Qed.
Lemma utility_ext E (sel sel' : types rationals -> nat -> list nat) p th r i : (i < clients E)%nat -> (forall k, (k < clients E)%nat -> sel r k = sel' r k) ->
  utility E (@Mechanism rationals sel p) th r i = utility E (@Mechanism rationals sel' p) th r i.
Proof.
  intros Hi H. unfold utility, bought, sold. cbn [buys price]. rewrite (H i Hi). f_equal. apply sum_ext. intros k Hk. apply others_In in Hk as [Hk _]. now rewrite (H k Hk).
Qed.
Section Rule.
Variable E : market rationals.
Variables (sel first : types rationals -> nat -> list nat) (p : types rationals -> nat -> nat -> Qc).
Hypothesis three : clients E = 3%nat.
Hypothesis same : forall r, said r -> forall k, (k < 3)%nat -> sel r k = first r k.
Let M := @Mechanism rationals sel p.
Let F := @Mechanism rationals first p.
Lemma computed th r i : said r -> (i < 3)%nat -> utility E M th r i = utility E F th r i.
Proof. intros R Hi. apply utility_ext; [now rewrite three|]. intros k Hk. rewrite three in Hk. now apply same. Qed.
Lemma not_group_dsic : Qcleb (utility E F truth truth 1) (utility E F truth lie 1) = true -> Qcleb (utility E F truth lie 1) (utility E F truth truth 1) = false ->
  Qcleb (utility E F truth truth 2) (utility E F truth lie 2) = true -> ~ group_dsic rationals E M.
Proof.
  intros A B C G. apply (G truth truth lie [1; 2]%nat).
  - intros j H. apply alike. intros [J|[]]. apply H. cbn. auto.
  - intros j _. repeat split.
  - rewrite three. split.
    + intros i [<-|[<-|[]]]; (split; [lia|]); rewrite (computed _ truth), (computed _ lie) by (exact says_truth || exact says_lie || lia); assumption.
    + exists 1%nat. split; [now left|]. rewrite (computed _ truth), (computed _ lie) by (exact says_truth || exact says_lie || lia). exact B.
Qed.
Lemma bossy : first truth 2%nat = [] -> first lie 2%nat = [] -> (forall k, (k < 3)%nat -> mem 2 (first truth k) = false /\ mem 2 (first lie k) = false) ->
  mem 1 (first truth 0%nat) = true -> p truth 0%nat 1%nat <> p lie 0%nat 1%nat -> ~ non_bossy rationals E M.
Proof.
  intros A B C D P G. destruct (G truth lie 2%nat alike) with (k := 0%nat) (j := 1%nat) as [_ X]; cbn [M buys price].
  - rewrite (same truth says_truth), (same lie says_lie) by lia. now rewrite A, B.
  - rewrite (same truth says_truth), A by lia. intros j [].
  - rewrite three. intros k Hk. destruct (C k Hk) as [C1 C2]. rewrite (same truth says_truth), (same lie says_lie), C1, C2 by exact Hk. split; [reflexivity|]. intro H. apply mem_In in H. rewrite C1 in H. discriminate.
  - rewrite three. lia.
  - rewrite (same truth says_truth) by lia. now apply mem_In.
  - exact (P X).
Qed.
End Rule.
Ltac computes := apply Qc_is_canon; vm_compute; reflexivity.
Section Exact.
Variable sel : types rationals -> nat -> list nat.
Hypothesis exact : exact_rule rationals (two true) sel.
Lemma exact_first r k : alone (objective (two true) r k) (first_best rationals (two true) r k) (subsets (others (two true) k)) = true -> sel r k = first_best rationals (two true) r k.
Proof.
  intro A. apply (only_best _ _ _ _ A); [apply (sel_in _ _ _ exact)|]. change (le (top (two true) r k (others (two true) k)) (objective (two true) r k (sel r k))).
  rewrite (sel_top _ _ _ exact). apply le_refl.
Qed.
Lemma exact_same r : said r -> forall k, (k < 3)%nat -> sel r k = first_best rationals (two true) r k.
Proof. intros [-> | ->] [|[|[|k]]] Hk; try lia; apply exact_first; vm_compute; reflexivity. Qed.
Theorem ipfl_exact_not_group_dsic : ~ group_dsic rationals (two true) (ipfl_exact rationals (two true) sel).
Proof. refine (not_group_dsic (two true) sel (first_best rationals (two true)) (critical rationals (two true)) eq_refl exact_same _ _ _); vm_compute; reflexivity. Qed.
Theorem ipfl_exact_bossy : ~ non_bossy rationals (two true) (ipfl_exact rationals (two true) sel).
Proof.
  refine (bossy (two true) sel (first_best rationals (two true)) (critical rationals (two true)) eq_refl exact_same _ _ _ _ _).
  - vm_compute; reflexivity.
  - vm_compute; reflexivity.
  - intros [|[|[|k]]] Hk; try lia; split; vm_compute; reflexivity.
  - vm_compute. reflexivity.
  - intro F. apply (f_equal this) in F. vm_compute in F. discriminate.
Qed.
End Exact.
Section Pool.
Variable sel : types rationals -> nat -> list nat.
Notation E := (two false).
Notation width := (fun _ : nat => 1%nat).
Hypothesis rule : pooled_rule rationals E width sel.
Notation first := (pool_first rationals E width).
Lemma pool_same r : said r -> forall k, (k < 3)%nat -> sel r k = first r k.
Proof.
  intros R k Hk. assert (A : alone (pool_surplus rationals E width r k) (first r k) (subsets (offered rationals E width r k)) = true)
    by (destruct R as [-> | ->]; destruct k as [|[|[|k]]]; try lia; vm_compute; reflexivity).
  apply (only_best _ _ _ _ A); [apply (offer_in _ _ _ _ _ _ rule)|]. apply (offer_top _ _ _ _ _ rule). apply (offer_in _ _ _ _ _ _ (pool_first_rule rationals E width)).
Qed.
Theorem pooled_not_group_dsic : ~ group_dsic rationals E (pooled rationals E width sel).
Proof. refine (not_group_dsic E sel first (pool_price rationals E width) eq_refl pool_same _ _ _); vm_compute; reflexivity. Qed.
Theorem pooled_bossy : ~ non_bossy rationals E (pooled rationals E width sel).
Proof.
  refine (bossy E sel first (pool_price rationals E width) eq_refl pool_same _ _ _ _ _).
  - vm_compute; reflexivity.
  - vm_compute; reflexivity.
  - intros [|[|[|k]]] Hk; try lia; split; vm_compute; reflexivity.
  - vm_compute. reflexivity.
  - intro F. apply (f_equal this) in F. vm_compute in F. discriminate.
Qed.
End Pool.
