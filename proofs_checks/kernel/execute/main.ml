(* Reads markets from standard input, one after the other, and prints the numbers of those on which the kernel's own
   definitions and the program's answer disagree. Written by compare.py; integers below 2^62 only. *)
open Agrees

let rec pos n = if n = 1 then XH else if n land 1 = 1 then XI (pos (n lsr 1)) else XO (pos (n lsr 1))
let z n = if n = 0 then Z0 else if n > 0 then Zpos (pos n) else Zneg (pos (-n))
let rec nat n = if n = 0 then O else S (nat (n - 1))
let int () = Scanf.scanf " %d" (fun x -> x)
let rational () = let a = int () in let b = int () in ratio (z a) (pos b)
let rec list n f = if n = 0 then [] else let x = f () in x :: list (n - 1) f
let row m f () = list m f
let some f () = if int () = 0 then None else Some (f ())

let market () =
  let rule = nat (int ()) in
  let m = int () in
  let size = list m rational in
  let cost = list m rational in
  let gain = list m rational in
  let differ = list m (row m rational) in
  let lam = rational () in
  let knots = int () in
  let table = list knots (fun () -> let a = rational () in let b = rational () in (a, b)) in
  let buys = list m (fun () -> let n = int () in list n (fun () -> nat (int ()))) in
  let price = list m (row m rational) in
  let utility = list m rational in
  let threshold = list m (row m (some rational)) in
  let tolerance = rational () in
  { v_rule = rule; v_size = size; v_cost = cost; v_gain = gain; v_differ = differ; v_lam = lam; v_table = table;
    v_buys = buys; v_price = price; v_utility = utility; v_threshold = threshold; v_tolerance = tolerance }

let () =
  let count = int () in
  for k = 0 to count - 1 do
    if not (agrees (market ())) then Printf.printf "%d\n" k
  done
