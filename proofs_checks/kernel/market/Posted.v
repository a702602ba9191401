(** * posted-price: prices from verified sizes only; each importer's best set among the sellers that are willing

    The penalty is not subtracted: with it a buyer would be steered away from its own best set.  The offers are fair while sizes
    stay, [market.Offers]: the price is no seller's to move by its cost, and who is willing is not moved by anybody else. *)
From Coq Require Import List Arith Bool.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Offers.
Import ListNotations.

Section Posted.
Variable N : num.
Local Open Scope num_scope.
Variable E : market N.
(** p_ij, from the sizes: of no cost and of no gain. *)
Variable p : (nat -> N) -> nat -> nat -> N.
Notation types := (types N).

Definition willing (r : types) (i : nat) : list nat := filter (fun j => leb (cost r j) (p (size r) i j)) (others E i).
Definition posted_price (r : types) : nat -> nat -> N := p (size r).
Definition surplus (r : types) (i : nat) (s : list nat) : N := value E r i s - sum (p (size r) i) s.
(** A best set of the willing: [offer_in], [offer_top], [offer_reads] of [Offers]. *)
Definition posted_rule : (types -> nat -> list nat) -> Prop := offers_rule N E willing posted_price.
Definition post_first : types -> nat -> list nat := first_of_offers N E willing posted_price.
Theorem post_first_rule : posted_rule post_first.
Proof. apply first_of_offers_rule. Qed.
Theorem posted_fair : fair N E willing posted_price True.
Proof.
  assert (Z : forall i r r', only N E True i r r' -> size r = size r') by (intros i r r' [_ [S|[F _]]]; [exact S|now elim F]).
  split.
  - intros r k. split; [apply NoDup_filter, others_NoDup|apply incl_filter].
  - intros r r' i A. unfold willing, posted_price. rewrite <- (Z _ _ _ A). split; [|reflexivity]. apply filter_ext_in. intros j Hj.
    apply others_In in Hj. destruct A as [A _]. destruct (A j) as (-> & _); tauto.
  - intros r k i H. now apply filter_In in H.
  - intros r r' k i A D I I'. unfold willing, posted_price in *. rewrite <- (Z _ _ _ A) in *. split; [|reflexivity]. apply filter_ext_in. intros j Hj.
    destruct (Nat.eq_dec j i) as [->|Dj]; [apply filter_In in I as [_ ->]; now apply filter_In in I' as [_ ->]|]. destruct A as [A _]. now destruct (A j Dj) as (-> & _).
  - intros r r' k i A D I' I. unfold willing, posted_price in *. rewrite <- (Z _ _ _ A) in *. destruct (leb (cost r i) (p (size r) k i)) eqn:L.
    + exfalso. apply I, filter_In. split; [now apply filter_In in I'|exact L].
    + now apply leb_total in L.
  - intros r r' k i A D L I'. unfold willing in *. rewrite <- (Z _ _ _ A) in I'. apply filter_In in I' as [I' L']. apply filter_In. split; [exact I'|].
    exact (le_trans N _ _ _ L L').
Qed.
Definition posted (sel : types -> nat -> list nat) : mechanism N := Mechanism sel posted_price.
End Posted.
