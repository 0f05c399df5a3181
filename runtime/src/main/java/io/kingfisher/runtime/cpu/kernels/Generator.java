package io.kingfisher.runtime.cpu.kernels;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import io.kingfisher.runtime.cpu.kernels.Code.Inst;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessFlag;

/**
 * Writes the class of a loop: rows, in each row what is the same for all its elements once, then vectors (where asked), then
 * single elements. Both do the same exact operations in the same order, so which of them runs shows in no bit.
 */
final class Generator {
    private static final String PACKAGE = Generator.class.getPackageName();
    private static final ClassDesc LOOP = Loop.class.describeConstable().orElseThrow();
    private static final ClassDesc MEMORY = Memory.class.describeConstable().orElseThrow();
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");
    private static final ClassDesc FLOAT = ClassDesc.of("java.lang.Float");
    private static final ClassDesc FUNCTIONS =
            Functions.class.describeConstable().orElseThrow();

    final LoopSpec spec;
    final CodeBuilder out;
    final boolean[] invariant;
    /** Which values some other value or a result needs for each element, not only once a row. */
    private final int[] scalar;

    private final int[] address, rowStep, step;
    private final int steps, rows, n, i;

    private Generator(LoopSpec spec, CodeBuilder out) {
        this.spec = spec;
        this.out = out;
        this.invariant = spec.invariant();
        this.scalar = new int[spec.code().size()];
        int operands = spec.operands();
        address = new int[operands];
        rowStep = new int[operands];
        step = new int[operands];
        for (int k = 0; k < operands; k++) {
            address[k] = out.allocateLocal(TypeKind.LONG);
            rowStep[k] = out.allocateLocal(TypeKind.LONG);
            step[k] = access(k) == Access.STRIDED ? out.allocateLocal(TypeKind.LONG) : -1;
        }
        steps = out.parameterSlot(1);
        rows = out.parameterSlot(2);
        n = out.parameterSlot(3);
        i = out.allocateLocal(TypeKind.INT);
    }

    /** A loop for a spec, with vectors or without. */
    static Loop loop(LoopSpec spec, boolean vectors) {
        byte[] bytes = ClassFile.of().build(ClassDesc.of(PACKAGE, "Generated"), type -> {
            type.withFlags(AccessFlag.FINAL, AccessFlag.SUPER);
            type.withInterfaceSymbols(LOOP);
            type.withMethodBody(
                    ConstantDescs.INIT_NAME,
                    ConstantDescs.MTD_void,
                    ClassFile.ACC_PUBLIC,
                    code -> code.aload(0)
                            .invokespecial(ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
                            .return_());
            ClassDesc longs = CD_long.arrayType();
            type.withMethodBody(
                    "run",
                    MethodTypeDesc.of(CD_void, longs, longs, CD_int, CD_int),
                    ClassFile.ACC_PUBLIC,
                    code -> new Generator(spec, code).body(vectors));
        });
        try {
            MethodHandles.Lookup hidden = MethodHandles.lookup().defineHiddenClass(bytes, true);
            return (Loop)
                    hidden.findConstructor(hidden.lookupClass(), java.lang.invoke.MethodType.methodType(void.class))
                            .invoke();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private Access access(int operand) {
        int inputs = spec.inputs().size();
        if (operand < inputs) {
            return spec.inputs().get(operand).access();
        }
        return spec.results().get(operand - inputs).access();
    }

    private void body(boolean vectors) {
        int operands = spec.operands();
        for (int k = 0; k < operands; k++) {
            out.aload(out.parameterSlot(0)).loadConstant(k).laload().lstore(address[k]);
            out.aload(steps).loadConstant(operands + k).laload().lstore(rowStep[k]);
            if (step[k] >= 0) {
                out.aload(steps).loadConstant(k).laload().lstore(step[k]);
            }
        }
        VectorWriter vector = vectors ? new VectorWriter(this) : null;
        if (vectors) {
            vector.constants();
        }
        Label nextRow = out.newLabel(), end = out.newLabel();
        out.labelBinding(nextRow).iload(rows).ifle(end);
        for (int v = 0; v < scalar.length; v++) {
            if (invariant[v] && spec.code().get(v).op() != Op.CONST) {
                element(v);
            }
        }
        out.loadConstant(0).istore(i);
        if (vectors) {
            vector.row();
        }
        elements();
        for (int k = 0; k < operands; k++) {
            out.lload(address[k]).lload(rowStep[k]).ladd().lstore(address[k]);
        }
        out.iinc(rows, -1).goto_(nextRow);
        out.labelBinding(end).return_();
    }

    /** The single elements from i on. */
    private void elements() {
        Label next = out.newLabel(), done = out.newLabel();
        out.labelBinding(next).iload(i).iload(n).if_icmpge(done);
        for (int v = 0; v < scalar.length; v++) {
            if (!invariant[v]) {
                element(v);
            }
        }
        for (int r = 0; r < spec.results().size(); r++) {
            store(r);
        }
        out.iinc(i, 1).goto_(next).labelBinding(done);
    }

    static TypeKind type(Kind kind) {
        return switch (kind) {
            case F -> TypeKind.FLOAT;
            case D -> TypeKind.DOUBLE;
            case I, M -> TypeKind.INT;
        };
    }

    /** Pushes the scalar value v. */
    void push(int v) {
        Inst inst = spec.code().get(v);
        if (inst.op() != Op.CONST) {
            out.loadLocal(type(inst.kind()), scalar[v]);
            return;
        }
        switch (inst.kind()) {
            case F -> out.loadConstant(Float.intBitsToFloat((int) inst.bits()));
            case D -> out.loadConstant(Double.longBitsToDouble(inst.bits()));
            default -> out.loadConstant((int) inst.bits());
        }
    }

    private void push(int... values) {
        for (int v : values) {
            if (v >= 0) {
                push(v);
            }
        }
    }

    /** Computes value v for one element into its variable. */
    private void element(int v) {
        Inst inst = spec.code().get(v);
        boolean wide = inst.kind() == Kind.D;
        ClassDesc number = wide ? CD_double : CD_float;
        if (inst.op() != Op.SELECT && inst.op() != Op.LOAD) {
            push(inst.a(), inst.b(), inst.c());
        }
        switch (inst.op()) {
            case LOAD -> load((int) inst.bits());
            case CONST -> throw new IllegalStateException("constants need no variable");
            case ADD -> arithmetic(wide ? out::dadd : out::fadd);
            case SUB -> arithmetic(wide ? out::dsub : out::fsub);
            case MUL -> arithmetic(wide ? out::dmul : out::fmul);
            case DIV -> arithmetic(wide ? out::ddiv : out::fdiv);
            case NEG -> arithmetic(wide ? out::dneg : out::fneg);
            case MAX -> out.invokestatic(MATH, "max", MethodTypeDesc.of(number, number, number));
            case MIN -> out.invokestatic(MATH, "min", MethodTypeDesc.of(number, number, number));
            case FMA -> out.invokestatic(MATH, "fma", MethodTypeDesc.of(number, number, number, number));
            case ABS -> out.invokestatic(MATH, "abs", MethodTypeDesc.of(number, number));
            case SQRT -> {
                // The square root of a float computed in double and rounded is the rounded square root.
                if (!wide) {
                    out.f2d();
                }
                out.invokestatic(MATH, "sqrt", MethodTypeDesc.of(CD_double, CD_double));
                if (!wide) {
                    out.d2f();
                }
            }
            case LT, LE, EQ -> compare(inst);
            case SELECT -> {
                Label other = out.newLabel(), done = out.newLabel();
                push(inst.a());
                out.ifeq(other);
                push(inst.b());
                out.storeLocal(type(inst.kind()), variable(v)).goto_(done).labelBinding(other);
                push(inst.c());
                out.storeLocal(type(inst.kind()), scalar[v]).labelBinding(done);
                return;
            }
            case F2I -> out.f2i();
            case I2F -> out.i2f();
            case BITS -> out.invokestatic(FLOAT, "floatToRawIntBits", MethodTypeDesc.of(CD_int, CD_float));
            case FLOAT -> out.invokestatic(FLOAT, "intBitsToFloat", MethodTypeDesc.of(CD_float, CD_int));
            case IADD -> out.iadd();
            case ISUB -> out.isub();
            case IAND -> out.iand();
            case IOR -> out.ior();
            case SHL -> out.loadConstant((int) inst.bits()).ishl();
            case SHR -> out.loadConstant((int) inst.bits()).ishr();
            case CALL -> {
                Functions function = Functions.values()[(int) inst.bits()];
                ClassDesc[] arguments = new ClassDesc[function.arity()];
                java.util.Arrays.fill(arguments, number);
                out.invokestatic(FUNCTIONS, function.method(), MethodTypeDesc.of(number, arguments));
            }
        }
        out.storeLocal(type(inst.kind()), variable(v));
    }

    private int variable(int v) {
        if (scalar[v] == 0) {
            scalar[v] = out.allocateLocal(type(spec.code().get(v).kind()));
        }
        return scalar[v];
    }

    private static void arithmetic(Runnable instruction) {
        instruction.run();
    }

    /** Pushes 1 where the comparison of the two numbers on the stack holds, else 0; false where one is NaN. */
    private void compare(Inst inst) {
        boolean wide = spec.code().get(inst.a()).kind() == Kind.D;
        if (wide) {
            out.dcmpg();
        } else {
            out.fcmpg();
        }
        Label yes = out.newLabel(), done = out.newLabel();
        switch (inst.op()) {
            case LT -> out.iflt(yes);
            case LE -> out.ifle(yes);
            default -> out.ifeq(yes);
        }
        out.loadConstant(0).goto_(done).labelBinding(yes).loadConstant(1).labelBinding(done);
    }

    /** Pushes the address of operand k's current element, plus {@code extra} elements. */
    void address(int operand, int bytes, int extra) {
        out.lload(address[operand]);
        switch (access(operand)) {
            case ELEMENTS -> {
                out.iload(i).i2l();
                if (bytes > 1) {
                    out.loadConstant(Integer.numberOfTrailingZeros(bytes)).lshl();
                }
                out.ladd();
                if (extra != 0) {
                    out.loadConstant((long) extra * bytes).ladd();
                }
            }
            case STRIDED -> out.iload(i).i2l().lload(step[operand]).lmul().ladd();
            case INVARIANT -> {}
        }
    }

    /** Pushes an address among the lanes of a fold. */
    void lane(int operand, int lane) {
        out.lload(address[operand]).loadConstant((long) lane * 4).ladd();
    }

    private void load(int operand) {
        var dtype = spec.inputs().get(operand).dtype();
        address(operand, dtype.bytes(), 0);
        switch (dtype) {
            case F32 -> out.invokestatic(MEMORY, "f32", MethodTypeDesc.of(CD_float, CD_long));
            case F64 -> out.invokestatic(MEMORY, "f64", MethodTypeDesc.of(CD_double, CD_long));
            case BF16 -> out.invokestatic(MEMORY, "bf16", MethodTypeDesc.of(CD_float, CD_long));
            case F16 -> out.invokestatic(MEMORY, "f16", MethodTypeDesc.of(CD_float, CD_long));
            case I32 -> out.invokestatic(MEMORY, "i32", MethodTypeDesc.of(CD_int, CD_long));
            case U8 -> out.invokestatic(MEMORY, "u8", MethodTypeDesc.of(CD_int, CD_long));
        }
        boolean wide = spec.kind() == Kind.D;
        switch (dtype) {
            case F32, BF16, F16 -> {
                if (wide) {
                    out.f2d();
                }
            }
            case I32, U8 -> {
                if (wide) {
                    out.i2d();
                } else {
                    out.i2f();
                }
            }
            case F64 -> {}
        }
    }

    private void store(int r) {
        Result result = spec.results().get(r);
        int operand = spec.inputs().size() + r;
        boolean wide = spec.kind() == Kind.D;
        if (result.fold() != null) {
            fold(operand, result, wide);
            return;
        }
        address(operand, result.dtype().bytes(), 0);
        push(result.value());
        switch (result.dtype()) {
            case F32, BF16, F16 -> {
                if (wide) {
                    out.d2f();
                }
            }
            case I32, U8 -> {
                if (wide) {
                    out.d2i();
                } else {
                    out.f2i();
                }
            }
            case F64 -> {}
        }
        switch (result.dtype()) {
            case F32 -> out.invokestatic(MEMORY, "f32", MethodTypeDesc.of(CD_void, CD_long, CD_float));
            case F64 -> out.invokestatic(MEMORY, "f64", MethodTypeDesc.of(CD_void, CD_long, CD_double));
            case BF16 -> out.invokestatic(MEMORY, "bf16", MethodTypeDesc.of(CD_void, CD_long, CD_float));
            case F16 -> out.invokestatic(MEMORY, "f16", MethodTypeDesc.of(CD_void, CD_long, CD_float));
            case I32 -> out.invokestatic(MEMORY, "i32", MethodTypeDesc.of(CD_void, CD_long, CD_int));
            case U8 -> out.invokestatic(MEMORY, "u8", MethodTypeDesc.of(CD_void, CD_long, CD_int));
        }
    }

    /** Folds the element into lane i mod lanes. */
    private void fold(int operand, Result result, boolean wide) {
        String type = wide ? "f64" : "f32";
        ClassDesc number = wide ? CD_double : CD_float;
        int lane = out.allocateLocal(TypeKind.LONG);
        out.lload(address[operand])
                .iload(i)
                .loadConstant(spec.lanes() - 1)
                .iand()
                .loadConstant(wide ? 3 : 2)
                .ishl()
                .i2l()
                .ladd()
                .lstore(lane);
        out.lload(lane);
        out.lload(lane).invokestatic(MEMORY, type, MethodTypeDesc.of(number, CD_long));
        push(result.value());
        switch (result.fold()) {
            case SUM -> arithmetic(wide ? out::dadd : out::fadd);
            case MAX -> out.invokestatic(MATH, "max", MethodTypeDesc.of(number, number, number));
            case MIN -> out.invokestatic(MATH, "min", MethodTypeDesc.of(number, number, number));
        }
        out.invokestatic(MEMORY, type, MethodTypeDesc.of(CD_void, CD_long, number));
    }

    int counter() {
        return i;
    }

    int length() {
        return n;
    }
}
