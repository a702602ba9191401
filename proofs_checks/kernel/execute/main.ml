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
  let effective = list (int ()) (row m rational) in
  let knots = int () in
  let table = list knots (fun () -> let a = rational () in let b = rational () in (a, b)) in
  let buys = list m (fun () -> let n = int () in list n (fun () -> nat (int ()))) in
  let price = list m (row m rational) in
  let utility = list m rational in
  let threshold = list m (row m (some rational)) in
  let tolerance = rational () in
  { v_rule = rule; v_size = size; v_cost = cost; v_gain = gain; v_differ = differ; v_lam = lam; v_effective = effective; v_table = table;
    v_buys = buys; v_price = price; v_utility = utility; v_threshold = threshold; v_tolerance = tolerance }

(* a tree in preorder: a seller, then its subtrees; -1 a leaf without a tangent, -2 one with its point *)
let rec tree () = match int () with
  | -1 -> End None
  | -2 -> touching (rational ())
  | j -> let t = tree () in let u = tree () in Split (nat j, t, u)
let natural () = nat (int ())
let certificate () =
  let eps = rational () in
  let t = tree () in
  let priced = list (int ()) (fun () -> let j = natural () in let s = list (int ()) natural in (j, (s, tree ()))) in
  ((eps, t), priced)

let () =
  let count = int () in
  for k = 0 to count - 1 do
    let v = market () in
    let fine = if int () = 0 then agrees v else certified_by v (list (List.length v.v_size) certificate) in
    if not fine then Printf.printf "%d\n" k
  done
