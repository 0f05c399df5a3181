package io.kingfisher.runtime.cuda.math;

/** A call of a cuDNN plan. */
record PlanCall(Dnn.Plan plan) implements Call {
    @Override
    public long workspaceBytes() {
        return plan.workspaceBytes();
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        plan.run(stream, addresses, workspace);
    }

    @Override
    public boolean capturable() {
        return true;
    }

    @Override
    public String what() {
        return plan.what();
    }

    @Override
    public void close() {
        plan.close();
    }
}
