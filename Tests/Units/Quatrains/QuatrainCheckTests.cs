using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Quatrains;

/// <summary>Poems of which it is known what is right and wrong with them.</summary>
[TestClass]
public sealed class QuatrainCheckTests
{
    /// <summary>王之渙 登鸛雀樓: the textbook case of pattern B.</summary>
    private const string Tower = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。";

    /// <summary>李白 早發白帝城: pattern 7B', the first line rhymes.</summary>
    private const string Baidi = "朝辭白帝彩雲間\n千里江陵一日還\n兩岸猨聲啼不盡\n輕舟已過萬重山";

    /// <summary>孟浩然 春曉: rhymes in an oblique tone (曉 鳥 少), so it is an old-style quatrain.</summary>
    private const string Spring = "春眠不覺曉|處處聞啼鳥|夜來風雨聲|花落知多少";

    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void RegulatedPoem_HasItsPattern()
    {
        var report = Check(Tower);
        Assert.AreEqual(("5A", true, true, false), (report.Pattern?.Name, report.IsRegulated, report.RhymesInLevelTone, report.FirstLineRhymes));
        CollectionAssert.AreEqual(new[] { "尤" }, report.RhymeGroups.ToArray());
        Assert.IsTrue(report is { Alternates: true, HasOpposition: true, HasAdhesion: true, ThirdLineIsOblique: true, HasThreeLevelTail: false, RepeatedCharacters: 0, UnknownCharacters: 0 });
        Assert.IsEmpty(report.Faults);
        var baidi = Check(Baidi);
        Assert.AreEqual((7, true, true), (baidi.LineLength, baidi.IsRegulated, baidi.FirstLineRhymes));
        CollectionAssert.AreEqual(new[] { "刪" }, baidi.RhymeGroups.ToArray());
    }

    [TestMethod]
    public void OldStylePoem_HasFaultsByPosition()
    {
        var report = Check(Spring);
        Assert.AreEqual((true, false, false), (report.Rhymes, report.RhymesInLevelTone, report.IsRegulated));
        Assert.IsNull(report.Pattern);
        Assert.IsTrue(report.Faults.Any(fault => fault is { Line: 4, Place: 5, IsRhyme: true }));
        StringAssert.Contains(report.Faults[^1].Message, "少");
    }

    /// <summary>One character of another tone breaks one place, and the alternation of its line if the place is even.</summary>
    [TestMethod]
    public void WrongTone_IsNamedWithItsPlace()
    {
        var report = Check(Tower.Replace("黃河", "黃海").Replace("入海", "入河")); // 黃海入河流
        CollectionAssert.AreEqual(new[] { (2, 2), (2, 4) }, report.Faults.Select(fault => (fault.Line, fault.Place)).ToArray());
        StringAssert.Contains(report.Faults[0].Message, "line 2, character 2 '海': oblique, must be level");
        Assert.IsTrue(report is { Alternates: true, HasOpposition: false, KeepsOrder: false, IsRegulated: false });
    }

    /// <summary>平平平 at the end of line 2 where it cannot be read otherwise; 仄平仄仄平 for the level tone alone.</summary>
    [TestMethod]
    public void TailAndSolitaryLevel_AreSeen()
    {
        Assert.IsTrue(Check("白日依山盡，黃河流東流。欲窮千里目，更上一層樓。").HasThreeLevelTail);
        Assert.IsTrue(Check("白日依山盡，落河入海流。欲窮千里目，更上一層樓。").HasSolitaryLevel);
        Assert.IsFalse(Check(Tower) is { HasThreeLevelTail: true } or { HasSolitaryLevel: true });
    }

    /// <summary>看 is level or oblique: it does for both.</summary>
    [TestMethod]
    public void CharacterWithTwoTones_MaySuitEither()
    {
        var table = RhymeTable.Default;
        CollectionAssert.AreEquivalent(new[] { "平寒", "去翰" }, table.ReadingsOf("看").Select(reading => reading.Tone + reading.RhymeGroup).ToArray());
        Assert.IsEmpty(Check(Tower.Replace("河", "看")).Faults);
        Assert.IsEmpty(Check(Tower.Replace("日", "看")).Faults);
        Assert.AreEqual((19541, 30), (table.Count, table.LevelGroups.Count));
    }

    [TestMethod]
    [DataRow("白日依山盡黃河入海流欲窮千里目更上一層樓", 5)]
    [DataRow("白日依山盡黃河入海流。欲窮千里目更上一層樓。", 5)]
    [DataRow("白日依山盡，黃河入海流。欲窮千里目，更上一層。", 0)]
    [DataRow("\ufeff白\ufe00日依山盡，黃河入\U000e0100海流。欲窮千里\u200d目，更上一層樓\u0301。", 5)]
    [DataRow("白\ud840日依山盡，黃河入海流。欲窮千里目，更上一層樓。", 0)]
    [DataRow("", 0)]
    [DataRow("no poem at all", 0)]
    public void Lines_AreFound(string text, int length)
    {
        var report = Check(text);
        Assert.AreEqual(length, report.LineLength);
        if (length == 0)
            StringAssert.Contains(report.Faults.Single().Message, "a quatrain has 4 of 5 or 4 of 7");
    }

    [TestMethod]
    public void RepetitionsAndUnknownCharacters_AreCounted()
    {
        var report = Check("白日依山盡，白日依山盡。欲窮千里目，更上一層𪚥。");
        Assert.AreEqual((5, 1, 1), (report.RepeatedCharacters, report.RepeatedLines, report.UnknownCharacters));
    }

    [TestMethod]
    public void Columns_AreThoseOfTheReport_AndSurviveSaving()
    {
        var data = Ml.Data.LoadFromEnumerable(new[] { new Row { Poem = Tower }, new Row { Poem = Spring }, new Row { Poem = "?" } });
        var model = Ml.Transforms.Text.CheckQuatrain().Fit(data);
        using var file = new MemoryStream();
        Ml.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = Ml.Model.Load(file, out _);
        foreach (var transformer in new[] { model, loaded })
        {
            var scored = transformer.Transform(data);
            CollectionAssert.AreEqual(new[] { "5A", "", "" }, scored.GetColumn<string>("QuatrainPattern").ToArray());
            CollectionAssert.AreEqual(new[] { true, false, false }, scored.GetColumn<bool>("QuatrainIsRegulated").ToArray());
            CollectionAssert.AreEqual(new[] { 5, 5, 0 }, scored.GetColumn<int>("QuatrainLineLength").ToArray());
            var positions = scored.GetColumn<float[]>("QuatrainFaultPositions").ToArray();
            Assert.AreEqual((28, 0f), (positions[0].Length, positions[0].Sum()));
            Assert.AreEqual(2, (int)positions[1][19] & 2);
        }
        using var engine = Ml.Model.CreatePredictionEngine<Row, Checked>(loaded);
        Assert.AreEqual("尤", engine.Predict(new Row { Poem = Tower }).QuatrainRhymeGroup);
        var metrics = Ml.LanguageModels.EvaluateQuatrains(data);
        Assert.AreEqual((2L, 1L, 0.5, 1.0), (metrics.Poems, metrics.OtherRows, metrics.IsRegulated, metrics.Rhymes));
    }

    [TestMethod]
    public void OwnTable_IsSavedWithTheModel()
    {
        var path = Path.Combine(Path.GetTempPath(), $"rhymes-{Guid.NewGuid():N}.tsv");
        try
        {
            File.WriteAllText(path, "char\ttone\tpingshui\n流\t平\t尤\n樓\t平\t尤\n目\t入\t屋\n");
            var data = Ml.Data.LoadFromEnumerable(new[] { new Row { Poem = Tower } });
            var model = Ml.Transforms.Text.CheckQuatrain(new QuatrainCheckEstimator.Options { RhymeTable = RhymeTable.Load(path) }).Fit(data);
            using var file = new MemoryStream();
            Ml.Model.Save(model, data.Schema, file);
            File.WriteAllText(path, "流\t平\n");
            file.Position = 0;
            var loaded = (QuatrainCheckTransformer)Ml.Model.Load(file, out _);
            Assert.AreEqual((3, 17), (loaded.RhymeTable.Count, loaded.Check(Tower).UnknownCharacters));
            StringAssert.Contains(Assert.Throws<FormatException>(() => RhymeTable.Load(path)).Message, "line 1");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Novelty_FindsCopies()
    {
        var old = Ml.Data.LoadFromEnumerable(new[] { new Row { Poem = Tower }, new Row { Poem = Spring } });
        var fresh = Ml.Data.LoadFromEnumerable(new[] { new Row { Poem = "夜來風雨聲|一二三四五|六七八九十|百千萬億兆" }, new Row { Poem = "甲乙丙丁戊|己庚辛壬癸|甲乙丙丁戊|更上一層樓" } });
        var novelty = Ml.LanguageModels.EvaluateQuatrainNovelty(fresh, old, "Poem");
        Assert.AreEqual((8L, 2L, 7L, 5, "夜來風雨聲", 5.0), (novelty.Lines, novelty.CopiedLines, novelty.DistinctLines, novelty.LongestCopiedRun, novelty.LongestCopiedText, novelty.MeanLongestRun));
    }

    private static QuatrainReport Check(string poem) => Ml.Transforms.Text.CheckQuatrain().Fit(Ml.Data.LoadFromEnumerable(new[] { new Row() })).Check(poem);

    private sealed class Row
    {
        public string Poem { get; set; } = "";
    }

    private sealed class Checked
    {
        public string QuatrainRhymeGroup { get; set; } = "";
    }
}
