package io.kingfisher.runtime.cpu.kernels;

import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Inst;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The vector part of a generated row: calls of the Vector API that the JIT compiler turns into one instruction each. */
final class VectorWriter {
    private static final String API = "jdk.incubator.vector.";
    private static final ClassDesc VECTOR = ClassDesc.of(API + "Vector");
    private static final ClassDesc FLOATS = ClassDesc.of(API + "FloatVector");
    private static final ClassDesc INTS = ClassDesc.of(API + "IntVector");
    private static final ClassDesc MASK = ClassDesc.of(API + "VectorMask");
    private static final ClassDesc SPECIES = ClassDesc.of(API + "VectorSpecies");
    private static final ClassDesc OPERATORS = ClassDesc.of(API + "VectorOperators");
    private static final ClassDesc BINARY = ClassDesc.of(API + "VectorOperators$Binary");
    private static final ClassDesc COMPARISON = ClassDesc.of(API + "VectorOperators$Comparison");
    private static final ClassDesc CONVERSION = ClassDesc.of(API + "VectorOperators$Conversion");
    private static final ClassDesc SEGMENT =
            MemorySegment.class.describeConstable().orElseThrow();
    private static final ClassDesc ORDER = ByteOrder.class.describeConstable().orElseThrow();
    private static final ClassDesc LANES = ClassDesc.of(VectorWriter.class.getPackageName(), "Lanes");
    private static final ClassDesc MEMORY = ClassDesc.of(VectorWriter.class.getPackageName(), "Memory");

    private final Generator generator;
    private final LoopSpec spec;
    private final CodeBuilder out;
    /** The variable of each value: made anew for each vector of an unrolled row, but for those of a whole row. */
    private final int[] vector;

    private final boolean[] needed;
    private final int[][] accumulators;

    VectorWriter(Generator generator) {
        this.generator = generator;
        this.spec = generator.spec;
        this.out = generator.out;
        this.vector = new int[spec.code().size()];
        this.needed = new boolean[vector.length];
        this.accumulators = new int[spec.results().size()][];
        for (int v = 0; v < vector.length; v++) {
            Inst inst = spec.code().get(v);
            if (!generator.invariant[v]) {
                for (int operand : new int[] {inst.a(), inst.b(), inst.c()}) {
                    if (operand >= 0 && generator.invariant[operand]) {
                        needed[operand] = true;
                    }
                }
            }
        }
        for (Result result : spec.results()) {
            needed[result.value()] |= generator.invariant[result.value()];
        }
    }

    private static int length() {
        return VectorSupport.length();
    }

    /** Broadcasts constants, once for all rows. */
    void constants() {
        for (int v = 0; v < vector.length; v++) {
            if (needed[v] && spec.code().get(v).op() == Op.CONST) {
                broadcast(v);
            }
        }
    }

    /** Puts the scalar value v into all lanes of a vector. */
    private void broadcast(int v) {
        Kind kind = spec.code().get(v).kind();
        species(kind);
        generator.push(v);
        switch (kind) {
            case F -> out.invokestatic(FLOATS, "broadcast", MethodTypeDesc.of(FLOATS, SPECIES, CD_float));
            case I -> out.invokestatic(INTS, "broadcast", MethodTypeDesc.of(INTS, SPECIES, CD_int));
            case M ->
                out.invokeinterface(
                        SPECIES, "maskAll", MethodTypeDesc.of(MASK, java.lang.constant.ConstantDescs.CD_boolean));
            case D -> throw new IllegalStateException("doubles are not computed in vectors");
        }
        if (vector[v] == 0) {
            vector[v] = out.allocateLocal(TypeKind.REFERENCE);
        }
        out.astore(vector[v]);
    }

    private void species(Kind kind) {
        out.getstatic(LANES, kind == Kind.I ? "INTS" : "FLOATS", SPECIES);
    }

    /** The whole vectors of a row, from i = 0 up to the last that fits. */
    void row() {
        for (int v = 0; v < vector.length; v++) {
            if (needed[v] && spec.code().get(v).op() != Op.CONST) {
                broadcast(v);
            }
        }
        int unrolled = spec.folds() ? Math.max(1, spec.lanes() / length()) : 1;
        for (int r = 0; r < spec.results().size(); r++) {
            if (spec.results().get(r).fold() != null) {
                accumulators[r] = new int[unrolled];
                for (int j = 0; j < unrolled; j++) {
                    accumulators[r][j] = out.allocateLocal(TypeKind.REFERENCE);
                    species(Kind.F);
                    lanes(r, j);
                    loadFloats();
                    out.astore(accumulators[r][j]);
                }
            }
        }
        int whole = out.allocateLocal(TypeKind.INT);
        out.iload(generator.length()).loadConstant(-length() * unrolled).iand().istore(whole);
        Label next = out.newLabel(), done = out.newLabel();
        out.labelBinding(next).iload(generator.counter()).iload(whole).if_icmpge(done);
        for (int j = 0; j < unrolled; j++) {
            vectors(j);
        }
        out.iinc(generator.counter(), length() * unrolled).goto_(next).labelBinding(done);
        for (int r = 0; r < accumulators.length; r++) {
            for (int j = 0; accumulators[r] != null && j < unrolled; j++) {
                out.aload(accumulators[r][j]);
                lanes(r, j);
                storeFloats();
            }
        }
    }

    /** Pushes all memory and the address of a fold's lanes. */
    private void lanes(int result, int j) {
        out.getstatic(MEMORY, "ALL", SEGMENT);
        generator.lane(spec.inputs().size() + result, j * length());
    }

    private void loadFloats() {
        out.getstatic(LANES, "ORDER", ORDER)
                .invokestatic(FLOATS, "fromMemorySegment", MethodTypeDesc.of(FLOATS, SPECIES, SEGMENT, CD_long, ORDER));
    }

    private void storeFloats() {
        out.getstatic(LANES, "ORDER", ORDER)
                .invokevirtual(FLOATS, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
    }

    /** One vector of every value, {@code j} vectors after the current element. */
    private void vectors(int j) {
        int[] kept = vector.clone();
        for (int v = 0; v < vector.length; v++) {
            if (!generator.invariant[v]) {
                compute(v, j * length());
                vector[v] = out.allocateLocal(TypeKind.REFERENCE);
                out.astore(vector[v]);
            }
        }
        for (int r = 0; r < spec.results().size(); r++) {
            Result result = spec.results().get(r);
            if (result.fold() == null) {
                store(r, result, j * length());
                continue;
            }
            out.aload(accumulators[r][j]).aload(vector[result.value()]);
            floats(
                    switch (result.fold()) {
                        case SUM -> "add";
                        case MAX -> "max";
                        case MIN -> "min";
                    },
                    1);
            out.astore(accumulators[r][j]);
        }
        System.arraycopy(kept, 0, vector, 0, kept.length);
    }

    /** A method of FloatVector that takes so many vectors and returns one. */
    private void floats(String method, int arguments) {
        ClassDesc[] types = new ClassDesc[arguments];
        Arrays.fill(types, VECTOR);
        out.invokevirtual(FLOATS, method, MethodTypeDesc.of(FLOATS, types));
    }

    private void ints(String method) {
        out.invokevirtual(INTS, method, MethodTypeDesc.of(INTS, VECTOR));
    }

    private void compute(int v, int extra) {
        Inst inst = spec.code().get(v);
        if (inst.op() == Op.LOAD) {
            load((int) inst.bits(), extra);
            return;
        }
        if (inst.op() == Op.SELECT) {
            out.aload(vector[inst.c()]).aload(vector[inst.b()]).aload(vector[inst.a()]);
            out.invokevirtual(FLOATS, "blend", MethodTypeDesc.of(FLOATS, VECTOR, MASK));
            return;
        }
        for (int operand : new int[] {inst.a(), inst.b(), inst.c()}) {
            if (operand >= 0) {
                out.aload(vector[operand]);
            }
        }
        switch (inst.op()) {
            case ADD -> floats("add", 1);
            case SUB -> floats("sub", 1);
            case MUL -> floats("mul", 1);
            case DIV -> floats("div", 1);
            case MAX -> floats("max", 1);
            case MIN -> floats("min", 1);
            case FMA -> floats("fma", 2);
            case NEG -> floats("neg", 0);
            case ABS -> floats("abs", 0);
            case SQRT -> floats("sqrt", 0);
            case LT -> out.invokevirtual(FLOATS, "lt", MethodTypeDesc.of(MASK, VECTOR));
            case EQ -> out.invokevirtual(FLOATS, "eq", MethodTypeDesc.of(MASK, VECTOR));
            case LE -> {
                // The operator goes below the second vector.
                out.getstatic(OPERATORS, "LE", COMPARISON).swap();
                out.invokevirtual(FLOATS, "compare", MethodTypeDesc.of(MASK, COMPARISON, VECTOR));
            }
            case F2I -> convert("F2I", FLOATS, INTS);
            case I2F -> convert("I2F", INTS, FLOATS);
            case BITS -> out.invokevirtual(FLOATS, "reinterpretAsInts", MethodTypeDesc.of(INTS));
            case FLOAT -> out.invokevirtual(INTS, "reinterpretAsFloats", MethodTypeDesc.of(FLOATS));
            case IADD -> ints("add");
            case ISUB -> ints("sub");
            case IAND -> ints("and");
            case IOR -> ints("or");
            case SHL -> shift("LSHL", inst);
            case SHR -> shift("ASHR", inst);
            case LOAD, CONST, SELECT, CALL -> throw new IllegalStateException(inst + " is no vector operation");
        }
    }

    private void convert(String conversion, ClassDesc from, ClassDesc to) {
        out.getstatic(OPERATORS, conversion, CONVERSION).loadConstant(0);
        out.invokevirtual(from, "convert", MethodTypeDesc.of(VECTOR, CONVERSION, CD_int))
                .checkcast(to);
    }

    private void shift(String operator, Inst inst) {
        ClassDesc type = BINARY;
        out.getstatic(OPERATORS, operator, type).loadConstant((int) inst.bits());
        out.invokevirtual(INTS, "lanewise", MethodTypeDesc.of(INTS, type, CD_int));
    }

    private void load(int operand, int extra) {
        DType dtype = spec.inputs().get(operand).dtype();
        if (dtype == DType.F32) {
            species(Kind.F);
            out.getstatic(MEMORY, "ALL", SEGMENT);
            generator.address(operand, 4, extra);
            loadFloats();
        } else {
            generator.address(operand, dtype.bytes(), extra);
            out.invokestatic(LANES, "load" + dtype, MethodTypeDesc.of(FLOATS, CD_long));
        }
    }

    private void store(int r, Result result, int extra) {
        int operand = spec.inputs().size() + r;
        out.aload(vector[result.value()]);
        if (result.dtype() == DType.F32) {
            out.getstatic(MEMORY, "ALL", SEGMENT);
            generator.address(operand, 4, extra);
            storeFloats();
        } else {
            generator.address(operand, result.dtype().bytes(), extra);
            out.invokestatic(LANES, "store" + result.dtype(), MethodTypeDesc.of(CD_void, FLOATS, CD_long));
        }
    }
}
