(** * ipfl-exact: splits, merges and blocking coalitions

    One importer with K = 5 and n = 1 at the law K/n - K/x (a law of the catalogue with exponent 1), no penalty; everything is rational and is computed.
    What seller j earns is W(M) - W(M without j), for every exact rule ([earns_truth]). *)
From Coq Require Import QArith Qcanon List Bool Arith.
From MarketKernel Require Import base.Num base.Sets base.Rationals market.Market market.Facts market.Laws market.Exact.
Import ListNotations.
Local Open Scope Qc_scope.

Definition ratio (n : Z) (d : positive) : Qc := Q2Qc (n # d).
Definition one_buyer (sellers : list (Qc * Qc)) : market rationals :=
  @Market rationals (S (length sellers)) (hyper rationals) (@plain rationals) (fun _ _ => 0) 0.
(** Sellers 1, 2, ... of these sizes and costs; only the buyer, 0, gains. *)
Definition of_sellers (sellers : list (Qc * Qc)) : types rationals := @Types rationals
  (fun i => match i with O => 1 | S j => fst (nth j sellers (1, 0)) end)
  (fun i => match i with O => 1 | S j => snd (nth j sellers (1, 0)) end) (fun i => match i with O => ratio 5 1 | _ => 0 end).
Definition earned (sellers : list (Qc * Qc)) (sel : types rationals -> nat -> list nat) (j : nat) : Qc :=
  earns rationals (one_buyer sellers) sel (of_sellers sellers) 0 j (cost (of_sellers sellers) j) (cost (of_sellers sellers) j).
Lemma earned_pivot sellers sel j : exact_rule rationals (one_buyer sellers) sel -> earned sellers sel j =
  @sub rationals (top (one_buyer sellers) (set_cost (of_sellers sellers) j (cost (of_sellers sellers) j)) 0 (others (one_buyer sellers) 0))
    (top (one_buyer sellers) (of_sellers sellers) 0 (without j (others (one_buyer sellers) 0))).
Proof. intro X. apply (earns_truth rationals (one_buyer sellers) sel X). Qed.

(** Sellers of 2 at cost 0 and of 3 at cost 2: the first earns 19/12; as two of 1, each at its whole cost, 5/3. *)
Definition whole := [(ratio 2 1, ratio 0 1); (ratio 3 1, ratio 2 1)].
Definition halves := [(ratio 1 1, ratio 0 1); (ratio 1 1, ratio 0 1); (ratio 3 1, ratio 2 1)].
Theorem ipfl_exact_not_split_proof sel sel' : exact_rule rationals (one_buyer whole) sel -> exact_rule rationals (one_buyer halves) sel' ->
  earned whole sel 1 = ratio 19 12 /\ earned halves sel' 1 + earned halves sel' 2 = ratio 5 3.
Proof. intros X X'. rewrite !earned_pivot by assumption. split; apply Qc_is_canon; vm_compute; reflexivity. Qed.
(** Sellers of 2 at 0, of 3 at 2, of 4 at 11/2: the first two earn 19/12, as one of 5 at 2 they earn 13/6. *)
Definition apart := [(ratio 2 1, ratio 0 1); (ratio 3 1, ratio 2 1); (ratio 4 1, ratio 11 2)].
Definition together := [(ratio 5 1, ratio 2 1); (ratio 4 1, ratio 11 2)].
Theorem ipfl_exact_not_merge_proof sel sel' : exact_rule rationals (one_buyer apart) sel -> exact_rule rationals (one_buyer together) sel' ->
  earned apart sel 1 + earned apart sel 2 = ratio 19 12 /\ earned together sel' 1 = ratio 13 6.
Proof. intros X X'. rewrite !earned_pivot by assumption. split; apply Qc_is_canon; vm_compute; reflexivity. Qed.
(** Sellers of 7 at 1, of 4 at 0, of 2 at 0: the buyer and the first have 45/14 together; alone they would have 27/8. *)
Definition three := [(ratio 7 1, ratio 1 1); (ratio 4 1, ratio 0 1); (ratio 2 1, ratio 0 1)].
Theorem ipfl_exact_not_in_core sel : exact_rule rationals (one_buyer three) sel ->
  @sub rationals (top (one_buyer three) (of_sellers three) 0 (others (one_buyer three) 0)) (Qcplus (earned three sel 2) (earned three sel 3)) = ratio 45 14 /\
  top (one_buyer three) (of_sellers three) 0 [1%nat] = ratio 27 8.
Proof. intros X. rewrite !earned_pivot by assumption. split; apply Qc_is_canon; vm_compute; reflexivity. Qed.
