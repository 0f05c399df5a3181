/**
 * oneDNN: {@link io.kingfisher.nativebindings.dnnl.generated.dnnl_h} is what its C headers say; the classes here call it,
 * check every status, and own its objects. Constants (data types, algorithms, arguments' numbers) are those of
 * {@code dnnl_h}, by their C names.
 *
 * <p>Objects are made while a program is compiled. What runs at every replay is
 * {@link io.kingfisher.nativebindings.dnnl.DnnlPrimitive#execute}, which allocates nothing.
 */
package io.kingfisher.nativebindings.dnnl;
