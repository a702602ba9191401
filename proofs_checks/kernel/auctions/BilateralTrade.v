(** * Myerson and Satterthwaite on finite grids

    One seller, one buyer, one item; value and cost are uniform on the grids, independent and private.  Efficient trade means
    trade exactly when the value exceeds the cost.  On some grids it cannot be had with Bayesian truth, interim rationality
    and a budget that balances on average; on others it can.  Linear programmes over Q: no axiom. *)
From Coq Require Import QArith Qreduction List Lqa Bool.
Import ListNotations.
Local Open Scope Q_scope.

Section Trade.
Variables values costs : list Q.
Definition qsum (f : Q -> Q) (l : list Q) : Q := fold_right (fun x s => f x + s) 0 l.
Definition trades (v c : Q) : bool := negb (Qle_bool v c).
(** [pay v c]: what the buyer pays at reports v, c; [get v c]: what the seller receives. *)
Variables pay get : Q -> Q -> Q.
(** Expected utilities (times the number of the other's types): the true number first, the reported one second. *)
Definition buyer (v w : Q) : Q := qsum (fun c => (if trades w c then v else 0) - pay w c) costs.
Definition seller (c d : Q) : Q := qsum (fun v => get v d - (if trades v d then c else 0)) values.
Definition bic : Prop := (forall v w, In v values -> In w values -> buyer v w <= buyer v v) /\
  (forall c d, In c costs -> In d costs -> seller c d <= seller c c).
Definition interim_ir : Prop := (forall v, In v values -> 0 <= buyer v v) /\ (forall c, In c costs -> 0 <= seller c c).
Definition no_deficit_on_average : Prop := qsum (fun v => qsum (get v) costs) values <= qsum (fun v => qsum (pay v) costs) values.
(** The ex-post versions. *)
Definition dsic_trade : Prop :=
  (forall v w c, In v values -> In w values -> In c costs -> (if trades w c then v else 0) - pay w c <= (if trades v c then v else 0) - pay v c) /\
  (forall c d v, In c costs -> In d costs -> In v values -> get v d - (if trades v d then c else 0) <= get v c - (if trades v c then c else 0)).
Definition expost_ir : Prop := forall v c, In v values -> In c costs ->
  0 <= (if trades v c then v else 0) - pay v c /\ 0 <= get v c - (if trades v c then c else 0).
Definition expost_balance : Prop := forall v c, In v values -> In c costs -> pay v c == get v c.
End Trade.
Definition efficient_trade_possible (values costs : list Q) : Prop := exists pay get,
  bic values costs pay get /\ interim_ir values costs pay get /\ no_deficit_on_average values costs pay get.

Ltac grid := cbv [buyer seller no_deficit_on_average qsum trades fold_right] in *;
  repeat match goal with H : context [Qle_bool ?a ?b] |- _ => let t := eval vm_compute in (Qle_bool a b) in change (Qle_bool a b) with t in H end; cbn [negb] in *.
Ltac mem := cbn; tauto.

(** {1, 5} and {0, 4}: not possible.  Revenue is at most 7/4, the payout at least 2. *)
Theorem trade_15_04_impossible : ~ efficient_trade_possible [1; 5] [0; 4].
Proof.
  intros (pay & get & [B S] & [IB IS] & W).
  pose proof (B 5 1 ltac:(mem) ltac:(mem)). pose proof (S 0 4 ltac:(mem) ltac:(mem)).
  pose proof (IB 1 ltac:(mem)). pose proof (IS 4 ltac:(mem)). clear B S IB IS. grid. lra.
Qed.
(** {1, 3, 5} and {0, 2, 4}: not possible. *)
Theorem trade_135_024_impossible : ~ efficient_trade_possible [1; 3; 5] [0; 2; 4].
Proof.
  intros (pay & get & [B S] & [IB IS] & W).
  pose proof (B 5 3 ltac:(mem) ltac:(mem)). pose proof (B 3 1 ltac:(mem) ltac:(mem)).
  pose proof (S 0 2 ltac:(mem) ltac:(mem)). pose proof (S 2 4 ltac:(mem) ltac:(mem)).
  pose proof (IB 1 ltac:(mem)). pose proof (IS 4 ltac:(mem)). clear B S IB IS. grid. lra.
Qed.
(** {1, 3} and {0, 2}: possible, even with rationality and balance ex post: pay 1, 3/2, 2. *)
Definition halfway (v c : Q) : Q := if trades v c then (if Qle_bool v 1 then 1 else if Qle_bool c 0 then 3 # 2 else 2) else 0.
Theorem trade_13_02_possible : bic [1; 3] [0; 2] halfway halfway /\ expost_ir [1; 3] [0; 2] halfway halfway /\ expost_balance [1; 3] [0; 2] halfway halfway.
Proof.
  repeat split; try (intros v w Hv Hw; cbn in Hv, Hw; destruct Hv as [<-|[<-|[]]], Hw as [<-|[<-|[]]]; vm_compute; congruence).
  all: cbn in H, H0; destruct H as [<-|[<-|[]]], H0 as [<-|[<-|[]]]; vm_compute; congruence.
Qed.
(** ... but not with dominant strategies, rationality and balance ex post. *)
Theorem trade_13_02_not_dominant : ~ exists pay get, dsic_trade [1; 3] [0; 2] pay get /\ expost_ir [1; 3] [0; 2] pay get /\ expost_balance [1; 3] [0; 2] pay get.
Proof.
  intros (pay & get & [B S] & I & W).
  pose proof (B 3 1 0 ltac:(mem) ltac:(mem) ltac:(mem)). pose proof (S 0 2 3 ltac:(mem) ltac:(mem) ltac:(mem)).
  pose proof (I 1 0 ltac:(mem) ltac:(mem)) as [? _]. pose proof (I 3 2 ltac:(mem) ltac:(mem)) as [_ ?].
  pose proof (W 3 0 ltac:(mem) ltac:(mem)). clear B S I W. grid. lra.
Qed.
