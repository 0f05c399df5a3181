package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.CpuStep;
import java.util.List;

/** Several elementwise steps as one loop over all their elements, such as an optimizer's update of every parameter. */
final class MapGroup implements CpuStep, Workers.Task {
    private final Workers workers;
    private final MapStep[] maps;
    /** For each part and map the first element, and one more at the end: part p of map m runs from [p][m] to [p + 1][m]. */
    private final long[][] bounds;

    MapGroup(Workers workers, List<MapStep> maps) {
        this.workers = workers;
        this.maps = maps.toArray(MapStep[]::new);
        long work = 0;
        for (MapStep map : this.maps) {
            work += map.work();
        }
        int parts = MapStep.parts(workers, work);
        bounds = new long[parts + 1][this.maps.length];
        for (int p = 1; p <= parts; p++) {
            long before = 0;
            for (int m = 0; m < this.maps.length; m++) {
                MapStep map = this.maps[m];
                // The share of this map that lies before the place where part p begins, from a cache line on.
                double share = map.work() == 0 ? 1 : ((double) work * p / parts - before) / map.work();
                long cut = (long) (Math.clamp(share, 0, 1) * map.elements());
                bounds[p][m] = p == parts || share >= 1 ? map.elements() : cut / 64 * 64;
                before += map.work();
            }
        }
    }

    @Override
    public void run() {
        workers.run(this, bounds.length - 1);
    }

    @Override
    public void run(int part) {
        for (int m = 0; m < maps.length; m++) {
            maps[m].range(part, bounds[part][m], bounds[part + 1][m]);
        }
    }
}
