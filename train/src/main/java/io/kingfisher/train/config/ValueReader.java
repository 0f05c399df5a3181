package io.kingfisher.train.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads YAML values as a {@link ValueType}. */
final class ValueReader {
    private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d[\\d_]*\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?");
    private static final Pattern DIGITS = Pattern.compile("[-+]?\\d{1,19}");
    private static final int LONGEST_NUMBER = 64;

    private ValueReader() {}

    /** The value (Double, Long, Boolean, String or List), or empty where {@code node} is not one of the type. */
    static Optional<Object> read(ValueType type, YamlNode node) {
        return switch (type) {
            case ValueType.ListOf listOf -> list(listOf, node);
            case ValueType.WordOr or -> {
                boolean isWord = text(node).filter(or.word()::equalsIgnoreCase).isPresent();
                yield isWord ? Optional.of(or.word()) : read(or.type(), node);
            }
            case ValueType.Real real ->
                number(node)
                        .filter(x -> real.minOpen() ? x > real.min() : x >= real.min())
                        .filter(x -> real.maxOpen() ? x < real.max() : x <= real.max())
                        .map(x -> x);
            case ValueType.Whole whole ->
                whole(node).filter(x -> x >= whole.min() && x <= whole.max()).map(x -> x);
            case ValueType.Bool bool -> bool(node);
            case ValueType.OnlyFalse onlyFalse -> bool(node).filter(value -> value.equals(false));
            case ValueType.Choice choice ->
                choice.names().stream()
                        .filter(name ->
                                text(node).filter(name::equalsIgnoreCase).isPresent())
                        .<Object>map(name -> name)
                        .findFirst();
            case ValueType.Text anyText ->
                node instanceof YamlNode.Scalar scalar
                                && !scalar.isNull()
                                && !scalar.text().isBlank()
                        ? Optional.of(scalar.text())
                        : Optional.empty();
        };
    }

    private static Optional<String> text(YamlNode node) {
        return node instanceof YamlNode.Scalar scalar
                ? Optional.of(scalar.text().strip())
                : Optional.empty();
    }

    private static Optional<Double> number(YamlNode node) {
        return text(node)
                .filter(text ->
                        text.length() <= LONGEST_NUMBER && NUMBER.matcher(text).matches())
                .map(text -> Double.parseDouble(text.replace("_", "")))
                .filter(Double::isFinite);
    }

    private static Optional<Long> whole(YamlNode node) {
        Optional<String> digits = text(node).filter(text -> DIGITS.matcher(text).matches());
        if (digits.isPresent()) {
            try {
                return Optional.of(Long.parseLong(digits.get()));
            } catch (NumberFormatException e) {
                return Optional.empty(); // 19 digits that do not fit
            }
        }
        // 1e4 and 200.0 are whole numbers too, as far as a double holds them exactly
        return number(node)
                .filter(x -> x == Math.rint(x) && Math.abs(x) <= 1L << 53)
                .map(Double::longValue);
    }

    private static Optional<Object> bool(YamlNode node) {
        return text(node).flatMap(text -> switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> Optional.of(true);
            case "false", "no", "off" -> Optional.of(false);
            default -> Optional.empty();
        });
    }

    private static Optional<Object> list(ValueType.ListOf type, YamlNode node) {
        if (!(node instanceof YamlNode.Sequence list)
                || list.items().size() < type.minSize()
                || list.items().size() > type.maxSize()) {
            return Optional.empty();
        }
        var values = new ArrayList<Object>();
        for (YamlNode item : list.items()) {
            read(type.item(), item).ifPresent(values::add);
        }
        return values.size() == list.items().size() ? Optional.of(List.copyOf(values)) : Optional.empty();
    }
}
