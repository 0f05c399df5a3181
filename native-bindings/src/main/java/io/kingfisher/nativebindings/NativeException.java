package io.kingfisher.nativebindings;

/** A native function was called and returned a status that says it failed. */
public final class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String function;
    private final int status;
    private final String statusName;

    /**
     * @param function the C function's name, such as {@code dnnl_matmul_primitive_desc_create}
     * @param status what it returned
     * @param statusName the status's name in the C header, such as {@code dnnl_invalid_arguments}
     * @param explanation what the call was about and what to do, a sentence without its full stop
     */
    public NativeException(String function, int status, String statusName, String explanation) {
        super(function + " returned " + statusName + " (" + status + "): " + explanation);
        this.function = function;
        this.status = status;
        this.statusName = statusName;
    }

    /** Returns the name of the C function that failed. */
    public String function() {
        return function;
    }

    /** Returns the number that the C function returned. */
    public int status() {
        return status;
    }

    /** Returns the name that the C header gives to {@link #status()}. */
    public String statusName() {
        return statusName;
    }
}
