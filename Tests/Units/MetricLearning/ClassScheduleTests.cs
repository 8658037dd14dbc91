using MLExtensions.Training;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Batches of P classes with K examples.</summary>
[TestClass]
public sealed class ClassScheduleTests
{
    [TestMethod]
    public void EqualClasses_EveryBatchHasPClassesWithKExamples()
    {
        var (schedule, classOf) = Create([8, 8, 8, 8], classesPerBatch: 2, examplesPerClass: 4);
        var batches = Batches(schedule, 3).ToArray();
        Assert.HasCount(4, batches);
        Assert.AreEqual(4, schedule.BatchCount);
        foreach (var batch in batches)
            CollectionAssert.AreEqual(new[] { 4, 4 }, batch.GroupBy(row => classOf[row]).Select(group => group.Count()).ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 32).ToArray(), batches.SelectMany(batch => batch).ToArray(), "each once");
    }

    [TestMethod]
    public void LastGroup_IsFilledUpWithOtherExamplesOfTheClass()
    {
        var (schedule, classOf) = Create([6, 5], classesPerBatch: 2, examplesPerClass: 4);
        var batches = Batches(schedule, 3).ToArray();
        Assert.HasCount(2, batches);
        foreach (var group in batches.SelectMany(batch => batch.GroupBy(row => classOf[row])))
            Assert.HasCount(4, group.Distinct());
        Assert.HasCount(11, batches.SelectMany(batch => batch).Distinct(), "every row at least once");
        Assert.AreEqual(16, schedule.RowCount);
    }

    [TestMethod]
    public void SmallClasses_ContributeWhatTheyHave()
    {
        var (schedule, _) = Create([4, 2, 1], classesPerBatch: 3, examplesPerClass: 4);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 7).ToArray(), Batches(schedule, 3).Single());
        Assert.AreEqual(7, schedule.RowCount);
    }

    [TestMethod]
    public void ManyOfOneClass_WhatFindsNoOtherClassIsLeftOut()
    {
        var (schedule, classOf) = Create([40, 4, 4], classesPerBatch: 2, examplesPerClass: 4);
        var batches = Batches(schedule, 3).ToArray();
        Assert.HasCount(2, batches);
        Assert.IsTrue(batches.All(batch => batch.Select(row => classOf[row]).Distinct().Count() == 2));
        Assert.AreEqual(32, schedule.LeftOut);
        Assert.AreEqual(48, schedule.RowCount);
        Assert.AreEqual(16, schedule.RowCount - schedule.LeftOut);
    }

    [TestMethod]
    public void SameSeed_SameBatches_AndOthersWithAnother()
    {
        var (schedule, _) = Create([9, 7, 5, 3, 1], classesPerBatch: 3, examplesPerClass: 2);
        var (first, again, other) = (Text(3), Text(3), Text(4));
        Assert.AreEqual(first, again);
        Assert.AreNotEqual(first, other);

        string Text(ulong seed) => string.Join("; ", Batches(schedule, seed).Select(batch => string.Join(",", batch)));
    }

    [TestMethod]
    public void EveryEpoch_HasAsManyBatchesAndRows()
    {
        var (schedule, _) = Create([9, 7, 5, 3, 1, 30], classesPerBatch: 4, examplesPerClass: 3);
        for (ulong seed = 0; seed < 20; seed++)
        {
            var batches = Batches(schedule, seed).ToArray();
            Assert.AreEqual(schedule.BatchCount, batches.Length);
            Assert.AreEqual(schedule.RowCount - schedule.LeftOut, batches.Sum(batch => batch.Length));
        }
    }

    private static IEnumerable<int[]> Batches(ClassSchedule schedule, ulong seed) =>
        schedule.Epoch(new SplitMix64(seed)).Select(batch => batch.SelectMany(rows => rows).ToArray());

    private static (ClassSchedule Schedule, int[] ClassOf) Create(int[] sizes, int classesPerBatch, int examplesPerClass)
    {
        var classOf = sizes.SelectMany((size, place) => Enumerable.Repeat(place, size)).ToArray();
        var rows = sizes.Select((_, place) => Enumerable.Range(0, classOf.Length).Where(row => classOf[row] == place).ToArray()).ToArray();
        return (new ClassSchedule(rows, classesPerBatch, examplesPerClass), classOf);
    }
}
