"""Writing loops over vectors of float32 in LLVM's intermediate language, and compiling them for this machine.

A kernel is a function of one whole number and some pointers. Python's own loops unroll code, `KernelBuilder.loop` makes
a loop that the machine runs. LLVM turns vectors of any width into those that the processor has, fused multiply-add
included where there is one.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

FLOAT, INT, INDEX, BIT = ir.FloatType(), ir.IntType(32), ir.IntType(64), ir.IntType(1)
_POINTER = ir.PointerType()
_LOCK = threading.Lock()  # LLVM's global state is not made for two at a time
_ENGINES: list[Any] = []  # what owns the machine code: it lives as long as the process

Value = Any  # llvmlite has no types to check against


class Variable:
    """A value that changes inside loops; LLVM keeps it in a register."""

    def __init__(self, code: KernelBuilder, initial: Value) -> None:
        self._code = code
        with code.builder.goto_entry_block():
            self._slot = code.builder.alloca(initial.type)
        self.value = initial

    @property
    def value(self) -> Value:
        """The value now; assigning changes it."""
        return self._code.builder.load(self._slot, typ=self._slot.allocated_type)

    @value.setter
    def value(self, value: Value) -> None:
        self._code.builder.store(value, self._slot)


class KernelBuilder:
    """Writes one kernel: ``name``(count, pointer, …)."""

    def __init__(self, name: str, pointers: int) -> None:
        self.module, self.pointers = ir.Module(name=name), pointers
        kind = ir.FunctionType(ir.VoidType(), [INDEX] + [_POINTER] * pointers)
        self.function = ir.Function(self.module, kind, name=name)
        for argument in self.function.args[1:]:
            argument.add_attribute("noalias")
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))

    def floats(self, values: Sequence[float]) -> Value:
        """Return a constant vector."""
        return ir.Constant(ir.VectorType(FLOAT, len(values)), list(values))

    def zeros(self, lanes: int) -> Value:
        """Return a vector of zeros."""
        return self.floats([0.0] * lanes)

    def integers(self, value: int, lanes: int) -> Value:
        """Return a constant vector of one 32-bit integer."""
        return ir.Constant(ir.VectorType(INT, lanes), [value] * lanes)

    def index(self, *terms: tuple[Value, int] | int) -> Value:
        """Return the sum of products (index, constant) and of constants."""
        total: Value = ir.Constant(INDEX, sum(term for term in terms if isinstance(term, int)))
        for term in terms:
            if not isinstance(term, int):
                total = self.builder.add(total, self.builder.mul(term[0], ir.Constant(INDEX, term[1])))
        return total

    @contextmanager
    def loop(self, count: Value | int) -> Iterator[Value]:
        """Run what is written inside for an index from 0 to ``count`` − 1; ``count`` is at least 1."""
        count = ir.Constant(INDEX, count) if isinstance(count, int) else count
        before, body = self.builder.block, self.function.append_basic_block("body")
        after = self.function.append_basic_block("after")
        self.builder.branch(body)
        self.builder.position_at_end(body)
        index = self.builder.phi(INDEX)
        index.add_incoming(ir.Constant(INDEX, 0), before)
        yield index
        following = self.builder.add(index, ir.Constant(INDEX, 1))
        index.add_incoming(following, self.builder.block)
        self.builder.cbranch(self.builder.icmp_signed("<", following, count), body, after)
        self.builder.position_at_end(after)

    def at(self, pointer: Value, offset: Value) -> Value:
        """Return the pointer ``offset`` numbers of four bytes further."""
        return self.builder.gep(pointer, [offset], source_etype=FLOAT)

    def load(self, pointer: Value, lanes: int = 0, kind: Any = FLOAT) -> Value:
        """Return the number at a pointer, or ``lanes`` of them."""
        kind = ir.VectorType(kind, lanes) if lanes else kind
        return self.builder.load(pointer, typ=kind, align=4)

    def load_first(self, pointer: Value, used: int, lanes: int) -> Value:
        """Return ``used`` numbers and zeros after them; only those that are used are read."""
        if used == lanes:
            return self.load(pointer, lanes)
        vector, mask = ir.VectorType(FLOAT, lanes), ir.VectorType(BIT, lanes)
        kind = ir.FunctionType(vector, [_POINTER, INT, mask, vector])
        masked = self._intrinsic(f"llvm.masked.load.v{lanes}f32.p0", kind)
        taken = ir.Constant(mask, [k < used for k in range(lanes)])
        return self.builder.call(masked, [pointer, ir.Constant(INT, 4), taken, self.zeros(lanes)])

    def store(self, value: Value, pointer: Value) -> None:
        """Write a number or a vector."""
        self.builder.store(value, pointer, align=4)

    def splat(self, number: Value, lanes: int) -> Value:
        """Return a vector of one number."""
        return self._splat(number, ir.VectorType(FLOAT, lanes))

    def _splat(self, number: Value, kind: ir.VectorType) -> Value:
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.Constant(INT, 0))
        return self.builder.shuffle_vector(first, undefined, self.integers(0, kind.count))

    def splat_integer(self, number: Value, lanes: int) -> Value:
        """Return a vector of one 32-bit integer."""
        return self._splat(number, ir.VectorType(INT, lanes))

    def lane(self, vector: Value, lane: int) -> Value:
        """Return one number of a vector."""
        return self.builder.extract_element(vector, ir.Constant(INT, lane))

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """Return a·b + c, rounded once where the processor can."""
        kind = ir.FunctionType(a.type, [a.type] * 3)
        return self.builder.call(self._intrinsic(f"llvm.fmuladd.v{a.type.count}f32", kind), [a, b, c])

    def _intrinsic(self, name: str, kind: ir.FunctionType) -> Value:
        known = self.module.globals.get(name)
        return known if known is not None else ir.Function(self.module, kind, name=name)

    def compiled(self) -> Callable[..., None]:
        """End the kernel and return it as a function of a count ≥ 1 and addresses; it runs without Python's lock."""
        self.builder.ret_void()
        with _LOCK:
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
            target = llvm.Target.from_default_triple()
            machine = target.create_target_machine(
                cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
            )
            module = llvm.parse_assembly(str(self.module))
            module.verify()
            options = llvm.create_pipeline_tuning_options(speed_level=3)
            builder = llvm.create_pass_builder(machine, options)
            builder.getModulePassManager().run(module, builder)
            engine = llvm.create_mcjit_compiler(module, machine)
            engine.finalize_object()
            _ENGINES.append(engine)
            address = engine.get_function_address(self.function.name)
        kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * self.pointers)
        return kind(address)
