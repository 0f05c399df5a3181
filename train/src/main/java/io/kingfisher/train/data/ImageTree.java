package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What the folders around images mean: {@code train/<class>/...} and {@code test/<class>/...} (or {@code val}), or
 * {@code <class>/...} alone, of which every tenth image of each class is then kept for testing. A folder around all of it
 * is passed over.
 *
 * @param classes the names of the class folders, in ascending order: a label is a place in this list
 * @param train by class, then by name
 * @param test by class, then by name
 * @param notes how the parts were chosen where the folders do not say
 */
record ImageTree(List<String> classes, List<Image> train, List<Image> test, List<String> notes) {
    /** One image of a source. */
    record Image(String name, int label) {}

    private static final Set<String> TRAIN_NAMES = Set.of("train", "training");
    private static final List<String> TEST_NAMES = List.of("test", "testing", "val", "valid", "validation");
    private static final int HELD_OUT = 10;

    /** Reads the layout out of the names of the images in a folder or zip called {@code place}. */
    static ImageTree of(String place, List<String> names) {
        List<String[]> paths = new ArrayList<>();
        for (String name : names) {
            paths.add(name.split("/"));
        }
        int level = outerFolders(paths);
        Map<String, Map<String, List<String>>> byFolder = new TreeMap<>();
        Map<String, List<String>> flat = new TreeMap<>();
        for (int i = 0; i < names.size(); i++) {
            String[] path = paths.get(i);
            if (path.length >= level + 3) {
                byFolder.computeIfAbsent(path[level], folder -> new TreeMap<>())
                        .computeIfAbsent(path[level + 1], folder -> new ArrayList<>())
                        .add(names.get(i));
            }
            if (path.length >= level + 2) {
                flat.computeIfAbsent(path[level], folder -> new ArrayList<>()).add(names.get(i));
            }
        }
        Map<String, List<String>> train = byFolder.entrySet().stream()
                .filter(entry -> TRAIN_NAMES.contains(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(Map.of());
        if (train.isEmpty()) {
            if (flat.isEmpty() || !byFolderIsOnlyClasses(flat.keySet())) {
                throw new KingfisherException(
                        "%s: found %d JPEG or PNG images but no class folders with images: looked for train/<class>/ and test/<class>/ (or val/<class>/), or <class>/ alone"
                                .formatted(place, names.size()));
            }
            return heldOut(place, flat, "there are no train and test folders in " + place);
        }
        for (String candidate : TEST_NAMES) {
            Map<String, List<String>> test = byFolder.get(candidate);
            if (test != null) {
                return split(place, train, test, candidate);
            }
        }
        return heldOut(place, train, "there is no test folder in " + place);
    }

    /** Folders around everything that say nothing. */
    private static int outerFolders(List<String[]> paths) {
        int level = 0;
        while (true) {
            int here = level;
            boolean deepEnough = paths.stream().allMatch(path -> path.length >= here + 3);
            boolean shared = deepEnough
                    && paths.stream().map(path -> path[here]).distinct().count() == 1;
            if (!shared || TRAIN_NAMES.contains(paths.getFirst()[here])) {
                return level;
            }
            level++;
        }
    }

    /** A lone test folder is not a class. */
    private static boolean byFolderIsOnlyClasses(Set<String> folders) {
        return folders.stream().noneMatch(folder -> TEST_NAMES.contains(folder) || TRAIN_NAMES.contains(folder));
    }

    private static ImageTree split(
            String place, Map<String, List<String>> train, Map<String, List<String>> test, String testFolder) {
        List<String> classes = List.copyOf(train.keySet());
        var unknown = new TreeSet<>(test.keySet());
        unknown.removeAll(train.keySet());
        if (!unknown.isEmpty()) {
            throw new KingfisherException(
                    "%s: the class '%s' is in %s but not in train".formatted(place, unknown.first(), testFolder));
        }
        List<String> notes = testFolder.startsWith("test")
                ? List.of()
                : List.of("the folder '" + testFolder + "' of " + place + " is used for testing");
        return new ImageTree(classes, images(classes, train), images(classes, test), notes);
    }

    private static ImageTree heldOut(String place, Map<String, List<String>> folders, String why) {
        List<String> classes = List.copyOf(folders.keySet());
        var train = new ArrayList<Image>();
        var test = new ArrayList<Image>();
        int label = -1;
        int ofClass = 0;
        for (Image image : images(classes, folders)) {
            ofClass = image.label() == label ? ofClass + 1 : 1;
            label = image.label();
            (ofClass % HELD_OUT == 0 ? test : train).add(image);
        }
        if (test.isEmpty()) {
            throw new KingfisherException(
                    "%s: no class has the %d images that it takes to keep every tenth for testing; put test images into test/<class>/"
                            .formatted(place, HELD_OUT));
        }
        return new ImageTree(
                classes, train, test, List.of(why + ": every tenth image of each class is kept for testing"));
    }

    private static List<Image> images(List<String> classes, Map<String, List<String>> folders) {
        Map<String, Integer> labels = classes.stream().collect(Collectors.toMap(Function.identity(), classes::indexOf));
        var images = new ArrayList<Image>();
        for (var entry : folders.entrySet()) {
            List<String> names = entry.getValue().stream().sorted().toList();
            for (String name : names) {
                images.add(new Image(name, labels.get(entry.getKey())));
            }
        }
        return images;
    }
}
