(** * pooled-price: the k cheapest suppliers, each offered the cost of the next; the importer's best set at that price

    A supplier of i is another client with e_ij > 0 (in the plain market: everybody else).  The offers are fair, [market.Offers]: inside
    the pool no report moves price or choice; entering it otherwise pays at most one's cost; own gain and size move neither. *)
From Coq Require Import List Arith Bool.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market market.Facts market.Offers.
Import ListNotations.

Section Pooled.
Variable N : num.
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
(** A best set of the pool: [offer_in], [offer_top], [offer_reads] of [Offers]. *)
Definition pooled_rule : (types -> nat -> list nat) -> Prop := offers_rule N E offered pool_price.
Definition pool_first : types -> nat -> list nat := first_of_offers N E offered pool_price.
Theorem pool_first_rule : pooled_rule pool_first.
Proof. apply first_of_offers_rule. Qed.
Definition pooled (sel : types -> nat -> list nat) : mechanism N := Mechanism sel pool_price.

Lemma suppliers_NoDup r k : NoDup (suppliers r k).
Proof. apply NoDup_filter, others_NoDup. Qed.
Lemma suppliers_incl r k : incl (suppliers r k) (others E k).
Proof. apply incl_filter. Qed.
Lemma suppliers_ext r r' k : (forall j, samples E r k j = samples E r' k j) -> suppliers r k = suppliers r' k.
Proof. intro H. apply filter_ext. intro j. now rewrite H. Qed.
Lemma offered_incl r k : incl (offered r k) (suppliers r k).
Proof. unfold offered, offer. destruct (next _ _ _ _); [apply incl_filter|intros j []]. Qed.
Lemma offered_NoDup r k : NoDup (offered r k).
Proof. unfold offered, offer. destruct (next _ _ _ _); [apply NoDup_filter, suppliers_NoDup|constructor]. Qed.
(** Who is on offer stands in the pool, ahead of the one whose cost is the price. *)
Lemma on_offer r k i : In i (offered r k) -> exists j, next N (cost r) (suppliers r k) (width k) = Some j /\
  In i (pool N (cost r) (suppliers r k) (width k)) /\ pool_price r k i = cost r j.
Proof. unfold offered, pool_price, offer. destruct (next _ _ _ _) as [j|]; [eauto|intros []]. Qed.
(** The offer to i reads others' costs only. *)
Lemma offer_ext r r' i : (forall j, samples E r i j = samples E r' i j) -> (forall j, In j (others E i) -> cost r j = cost r' j) -> offer r i = offer r' i.
Proof.
  intros He Hc. unfold offer. rewrite (suppliers_ext r r' i He).
  assert (H : forall j, In j (suppliers r' i) -> cost r j = cost r' j) by (intros j Hj; now apply Hc, (suppliers_incl r')).
  rewrite (next_ext N _ (cost r') _ _ H), (pool_ext N _ (cost r') _ _ H).
  destruct (next _ _ _ _) as [j|] eqn:F; [|reflexivity]. apply next_spec in F as [F _]. now rewrite H.
Qed.
(** i's own report: a lower cost than that of the one next to the pool, and it is on offer at the same price beside the same others. *)
Lemma stays r r' k i j : only N E False i r r' -> next N (cost r') (suppliers r' k) (width k) = Some j -> In i (offered r' k) ->
  cheaper N (cost r) i j = true -> offer r k = offer r' k /\ In i (offered r k).
Proof.
  intros A L I C. destruct (on_offer _ _ _ I) as (j' & L' & P & _). rewrite L in L'. injection L' as <-.
  assert (Es : suppliers r k = suppliers r' k) by (apply suppliers_ext; intro x; now apply (only_samples N E False i)).
  pose proof (offered_incl _ _ _ I) as Il. set (l := suppliers r' k) in *. assert (Hl : NoDup l) by apply suppliers_NoDup.
  assert (Ac : forall x, x <> i -> cost r x = cost r' x) by (intros x D; destruct A as [A _]; now destruct (A x D)).
  destruct (in_pool N l _ i Hl Il _ _ P L) as (Hj & Rj & _). pose proof Hj as Hj'. apply without_In in Hj' as [_ Dj].
  destruct (enters N l (width k) i (cost r) (cost r') Hl Il Ac j Hj Rj C) as [P' L'].
  destruct (pool_same N l (width k) i (cost r) (cost r') Hl Il Ac _ _ P' L' P L) as [_ PP].
  assert (O : offer r k = offer r' k) by (unfold offer; rewrite Es; fold l; now rewrite L', L, PP, Ac).
  split; [exact O|]. unfold offered. now rewrite O.
Qed.
Theorem pooled_fair : fair N E offered pool_price False.
Proof.
  assert (P : forall r r' k, offer r k = offer r' k -> offered r k = offered r' k /\ forall j, In j (offered r k) -> pool_price r k j = pool_price r' k j)
    by (intros r r' k O; unfold offered, pool_price; now rewrite O).
  assert (C : forall r k i, In i (offered r k) -> exists j, next N (cost r) (suppliers r k) (width k) = Some j /\ pool_price r k i = cost r j /\ cheaper N (cost r) i j = true /\ j <> i).
  { intros r k i I. destruct (on_offer _ _ _ I) as (j & L & Pi & Z). exists j.
    destruct (in_pool N _ _ i (suppliers_NoDup r k) (offered_incl _ _ _ I) _ _ Pi L) as (Hj & _ & B). apply without_In in Hj. tauto. }
  assert (T : forall r r' i j, only N E False i r r' -> j <> i -> cheaper N (cost r') i j = true -> cost r i <= cost r' i -> cheaper N (cost r) i j = true).
  { intros r r' i j [A _] D B L. unfold cheaper in *. destruct (A j D) as (-> & _). apply andb_true_iff in B as [B B'].
    rewrite (le_trans N _ _ _ L B : leb (cost r i) (cost r' j) = true). cbn. destruct (leb (cost r' j) (cost r i)) eqn:F; [|reflexivity].
    now rewrite (le_trans N _ _ _ F L : leb (cost r' j) (cost r' i) = true) in B'. }
  split.
  - intros r k. split; [apply offered_NoDup|]. intros j Hj. now apply (suppliers_incl r), offered_incl.
  - intros r r' i A. apply P, offer_ext; [intro; now apply (only_samples N E False i)|]. intros j Hj. apply others_In in Hj. destruct A as [A _]. now apply A.
  - intros r k i I. destruct (C r k i I) as (j & _ & -> & B & _). now apply andb_true_iff in B as [B _].
  - intros r r' k i A D I I'. apply P. destruct (C r k i I) as (j & L & _ & B & Dj), (C r' k i I') as (j' & L' & _ & B' & Dj').
    destruct (cheaper N (cost r) i j') eqn:F; [now apply (stays r r' k i j')|].
    destruct (cheaper N (cost r') i j) eqn:F'; [symmetry; apply (stays r' r k i j); auto; now apply only_sym|]. exfalso.
    apply cheaper_total in F, F'; try congruence. pose proof (cheaper_trans N _ _ _ _ F B) as G. pose proof (cheaper_trans N _ _ _ _ F' B') as G'.
    assert (S : forall a b, a <> i -> b <> i -> cheaper N (cost r) a b = cheaper N (cost r') a b).
    { intros a b Ha Hb. unfold cheaper. destruct A as [A _]. destruct (A a Ha) as (-> & _), (A b Hb) as (-> & _). reflexivity. }
    rewrite S in G by assumption. pose proof (cheaper_trans N _ _ _ _ G G') as X. now rewrite cheaper_irrefl in X.
  - intros r r' k i A D I' I. destruct (C r' k i I') as (j & L & -> & B & Dj). destruct (cheaper N (cost r) i j) eqn:F.
    + exfalso. apply I. now apply (stays r r' k i j A L I').
    + apply cheaper_total in F; [|congruence]. apply andb_true_iff in F as [F _]. destruct A as [A _]. now destruct (A j Dj) as (<- & _).
  - intros r r' k i A D L I'. destruct (C r' k i I') as (j & L' & _ & B & Dj). apply (stays r r' k i j A L' I'). now apply (T r r' i j).
Qed.
End Pooled.
