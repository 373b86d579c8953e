package millrace;

import java.lang.reflect.Method;
import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkAlignmentParams;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.util.clock.RelativeClock;

/**
 * The watermarks of a source's partitions, in which a partition that waits to be read is not idle
 * (docs/adr/0013-idle-partitions.md).
 *
 * <p>A partition is idle when the others had records for the timeout and it had none, or when none
 * had any for so long. Of a time in which the task stood still, LONGEST_STEP counts at most, and of
 * one in which it always had records to read, as in a backlog, a BUSY-th. As soon as one has records
 * again, the others are idle no more, unless they were so before.
 *
 * <p>Compiled when a job starts, by the compiler that Flink has for its own code: it knows no type
 * parameters, so that types are those of the interfaces' class files.
 */
public final class IdlePartitions implements WatermarkStrategy {
    private static final long serialVersionUID = 1L;

    /** In nanoseconds. */
    private static final long LONGEST_STEP = 1000000000L;

    private static final long BUSY = 10L;

    private final WatermarkStrategy watermarks;
    private final long timeout;

    /** What the partitions of a task share: each task has its own copy of this strategy. */
    private transient Group group;

    /** The watermarks of a partition that has records, and the time in milliseconds. */
    public IdlePartitions(WatermarkStrategy watermarks, long timeout) {
        this.watermarks = watermarks;
        this.timeout = timeout * 1000000L;
    }

    public WatermarkGenerator createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        if (group == null) {
            // Flink asks for the task's own before those of its partitions. Each has a clock, and
            // that of a partition which is added later is ahead of the others.
            group = new Group(context.getInputActivityClock(), context.getMetricGroup());
        }
        return new Partition(watermarks.createWatermarkGenerator(context), group, timeout);
    }

    public TimestampAssigner createTimestampAssigner(TimestampAssignerSupplier.Context context) {
        return watermarks.createTimestampAssigner(context);
    }

    public WatermarkAlignmentParams getAlignmentParameters() {
        return watermarks.getAlignmentParameters();
    }

    /** How long records came and did not come, in nanoseconds in which the task went on. */
    private static final class Group {
        /** Whether a record came since the last step. */
        boolean hasRecords;

        /** The time in which records came. */
        long busy;

        /** The time since the last record. */
        long silent;

        private final RelativeClock clock;
        private final MetricGroup source;
        private final Method idleTime;
        private long last;

        Group(RelativeClock clock, MetricGroup source) {
            this.clock = clock;
            this.source = source;
            this.last = clock.relativeTimeNanos();
            try {
                // What the metric sourceIdleTime shows: how long it has had nothing to read.
                idleTime = source.getClass().getDeclaredMethod("getIdleTime", new Class[0]);
                idleTime.setAccessible(true);
            } catch (NoSuchMethodException error) {
                throw new IllegalStateException("no idle time of " + source.getClass(), error);
            }
        }

        void step() {
            long now = clock.relativeTimeNanos();
            long time = Math.min(now - last, LONGEST_STEP);
            last = now;
            if (!isWaiting()) {
                time /= BUSY;
            }
            silent += time;
            if (hasRecords) {
                busy += Math.min(silent, LONGEST_STEP);
                silent = 0L;
                hasRecords = false;
            }
        }

        /** Whether the source has read all that there is. */
        private boolean isWaiting() {
            try {
                return ((Long) idleTime.invoke(source, new Object[0])).longValue() > 0L;
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    /** One partition. */
    private static final class Partition implements WatermarkGenerator {
        private final WatermarkGenerator inner;
        private final Group group;
        private final long timeout;

        private boolean hasRecords;
        private boolean isIdle;

        /** What the group's time was at the last record. */
        private long since;

        Partition(WatermarkGenerator inner, Group group, long timeout) {
            this.inner = inner;
            this.group = group;
            this.timeout = timeout;
            this.since = group.busy;
        }

        public void onEvent(Object record, long timestamp, WatermarkOutput output) {
            hasRecords = true;
            group.hasRecords = true;
            inner.onEvent(record, timestamp, output);
        }

        public void onPeriodicEmit(WatermarkOutput output) {
            group.step();
            if (hasRecords) {
                hasRecords = false;
                since = group.busy;
            }
            boolean wasIdle = isIdle;
            isIdle = group.busy - since >= timeout || group.silent >= timeout;
            if (!isIdle) {
                if (wasIdle) {
                    output.markActive();
                }
                inner.onPeriodicEmit(output);
            } else if (!wasIdle) {
                output.markIdle();
            }
        }
    }
}
