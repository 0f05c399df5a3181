package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A part of a model: it owns parameters, buffers and layers inside it, and records its forward pass. Paths are made of the
 * names under which layers contain each other, as in PyTorch. A layer may be contained or applied several times: it then
 * shares its parameters and keeps its first path.
 *
 * <p>Layers make their parameters known in the constructor; {@link #initialize} gives all of them memory, {@link #close}
 * frees it.
 */
public abstract class Layer implements AutoCloseable {
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final Map<String, Layer> children = new LinkedHashMap<>();
    private final List<CaptureHook> hooks = new ArrayList<>();
    private Layer parent;
    private String name = "";

    protected Layer() {}

    /** Records what the layer makes of x. */
    protected abstract Value forward(Recording r, Value x);

    /** Records what the layer makes of x; the nodes are named after the layer in errors and profiles. */
    public final Value apply(Recording r, Value x) {
        return scoped(r, () -> forward(r, x));
    }

    /** Records under this layer's name, for layers that take more than one value. */
    protected final Value scoped(Recording r, java.util.function.Supplier<Value> body) {
        try (Graph.Scope _ = r.graph().scope(label())) {
            return body.get();
        }
    }

    /** A parameter of this layer, in PyTorch's name and shape. */
    protected final Parameter parameter(String name, Shape shape, Initializer initializer) {
        checkNew(name);
        Parameter parameter = new Parameter(this, name, shape, initializer);
        parameters.put(name, parameter);
        return parameter;
    }

    /** A buffer of this layer that begins with the same number everywhere. */
    protected final Buffer buffer(String name, DType dtype, Shape shape, double initial) {
        checkNew(name);
        Buffer buffer = new Buffer(this, name, dtype, shape, initial);
        buffers.put(name, buffer);
        return buffer;
    }

    /** A layer inside this one. */
    protected final <L extends Layer> L child(String name, L layer) {
        checkNew(name);
        for (Layer outer = this; outer != null; outer = outer.parent) {
            if (outer == layer) {
                throw new KingfisherException("The layer " + label() + " cannot contain itself as '" + name + "'.");
            }
        }
        children.put(name, layer);
        Layer inner = layer;
        inner.attach(this, name);
        return layer;
    }

    private void attach(Layer to, String as) {
        if (parent == null) {
            parent = to;
            name = as;
        }
    }

    private void checkNew(String name) {
        if (name.isEmpty() || name.contains(".")) {
            throw new KingfisherException("'" + name + "' in the layer " + label()
                    + " cannot be a part of a path; choose a name without dots that is not empty.");
        }
        if (parameters.containsKey(name) || buffers.containsKey(name) || children.containsKey(name)) {
            throw new KingfisherException(
                    "The layer " + label() + " already has something named '" + name + "'; choose another name.");
        }
    }

    /** The names from the outermost layer to this one, joined by dots; empty for the outermost. */
    public final String path() {
        return parent == null ? "" : parent.path().isEmpty() ? name : parent.path() + "." + name;
    }

    /** How errors name the layer: by its path, or by its kind where it stands alone. */
    public final String label() {
        return parent == null ? getClass().getSimpleName() : path();
    }

    /** The layers directly inside this one, by name. */
    public final Map<String, Layer> children() {
        return java.util.Collections.unmodifiableMap(children);
    }

    /** This layer and all inside it, each once, outer ones first. */
    public final List<Layer> layers() {
        Set<Layer> found = new LinkedHashSet<>();
        collect(found);
        return List.copyOf(found);
    }

    private void collect(Set<Layer> found) {
        if (found.add(this)) {
            children.values().forEach(child -> child.collect(found));
        }
    }

    /** All parameters of this layer and those inside it, each once, in PyTorch's order. */
    public final List<Parameter> parameters() {
        return layers().stream()
                .flatMap(layer -> layer.parameters.values().stream())
                .toList();
    }

    /** All buffers of this layer and those inside it, each once, in PyTorch's order. */
    public final List<Buffer> buffers() {
        return layers().stream()
                .flatMap(layer -> layer.buffers.values().stream())
                .toList();
    }

    /** Parameters and buffers as a {@code state_dict} orders them: layer by layer, its parameters before its buffers. */
    public final List<Variable> variables() {
        List<Variable> all = new ArrayList<>();
        for (Layer layer : layers()) {
            all.addAll(layer.parameters.values());
            all.addAll(layer.buffers.values());
        }
        return List.copyOf(all);
    }

    /**
     * The parameter or buffer of this path.
     *
     * @throws KingfisherException if there is none, with the nearest path that there is
     */
    public final Variable variable(String path) {
        return variables().stream()
                .filter(variable -> variable.path().equals(path))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no parameter or buffer '" + path + "' in "
                        + label()
                        + Names.hint(
                                path, variables().stream().map(Variable::path).toList())));
    }

    /** The number of elements of all parameters. */
    public final long parameterCount() {
        return parameters().stream().mapToLong(p -> p.shape().elements()).sum();
    }

    /**
     * Gives every parameter and buffer memory on a device and its initial numbers. These depend on the seed and the paths
     * alone: the same for every device, and unchanged by layers added elsewhere.
     *
     * @throws KingfisherException if a part has been initialized before
     */
    public final void initialize(Device device, long seed) {
        List<Variable> all = variables();
        for (Variable variable : all) {
            if (variable.allocated()) {
                throw new KingfisherException(
                        variable.path() + " has been initialized already; build a new model or write to its tensors.");
            }
        }
        all.forEach(variable -> variable.allocate(device));
        all.parallelStream().forEach(variable -> variable.fill(seed));
    }

    /** Frees all tensors; programs that use them must be closed before. */
    @Override
    public final void close() {
        variables().forEach(Variable::free);
    }

    /**
     * Has {@code hook} called for every capture of this layer and of those inside it, whenever gradients are recorded in
     * training: see {@link Recording#gradients}.
     */
    public final void onCapture(CaptureHook hook) {
        hooks.add(hook);
    }

    /** The hooks that a capture of this layer concerns, inner layers' first. */
    final List<CaptureHook> hooks() {
        List<CaptureHook> all = new ArrayList<>();
        for (Layer layer = this; layer != null; layer = layer.parent) {
            all.addAll(layer.hooks);
        }
        return all;
    }

    @Override
    public String toString() {
        return label();
    }
}
