package millrace;

import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkAlignmentParams;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.util.clock.RelativeClock;

/**
 * The watermarks of a source's partitions, in which a partition that waits to be read is not idle
 * (docs/adr/0013-idle-partitions.md).
 *
 * <p>A partition is idle when the others had records for the timeout and it had none, or when none
 * had any for so long. Of a time in which the task stood still, LONGEST_STEP counts. As soon as one
 * has records again, the others are idle no more, unless they were so before.
 *
 * <p>Compiled when a job starts, by the compiler that Flink has for its own code: it knows no type
 * parameters, so that types are those of the interfaces' class files.
 */
public final class IdlePartitions implements WatermarkStrategy {
    private static final long serialVersionUID = 1L;

    /** In nanoseconds. */
    private static final long LONGEST_STEP = 1000000000L;

    private final WatermarkStrategy watermarks;
    private final long timeout;

    /** The partitions of a task: each has a copy of this strategy. */
    private transient Group group;

    /** The watermarks of a partition that has records, and the time in milliseconds. */
    public IdlePartitions(WatermarkStrategy watermarks, long timeout) {
        this.watermarks = watermarks;
        this.timeout = timeout * 1000000L;
    }

    public WatermarkGenerator createWatermarkGenerator(WatermarkGeneratorSupplier.Context context) {
        if (group == null) {
            group = new Group();
        }
        WatermarkGenerator inner = watermarks.createWatermarkGenerator(context);
        return new Partition(inner, group, context.getInputActivityClock(), timeout);
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

        private boolean hasBegun;
        private long last;

        void step(long now) {
            long time = hasBegun ? Math.min(now - last, LONGEST_STEP) : 0L;
            hasBegun = true;
            last = now;
            silent += time;
            if (hasRecords) {
                busy += Math.min(silent, LONGEST_STEP);
                silent = 0L;
                hasRecords = false;
            }
        }
    }

    /** One partition. */
    private static final class Partition implements WatermarkGenerator {
        private final WatermarkGenerator inner;
        private final Group group;
        private final RelativeClock clock;
        private final long timeout;

        private boolean hasRecords;
        private boolean isIdle;

        /** What the group's time was at the last record. */
        private long since;

        Partition(WatermarkGenerator inner, Group group, RelativeClock clock, long timeout) {
            this.inner = inner;
            this.group = group;
            this.clock = clock;
            this.timeout = timeout;
            this.since = group.busy;
        }

        public void onEvent(Object record, long timestamp, WatermarkOutput output) {
            hasRecords = true;
            group.hasRecords = true;
            inner.onEvent(record, timestamp, output);
        }

        public void onPeriodicEmit(WatermarkOutput output) {
            group.step(clock.relativeTimeNanos());
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
