using MLExtensions.Families.LanguageModels;

namespace MLExtensions.Tests.Text.Generation;

[TestClass]
public sealed class StopStringFilterTests
{
    [TestMethod]
    public void StopString_AcrossPieces_IsNotLetThrough()
    {
        var filter = new StopStringFilter(["\n\n", "END"]);
        var passed = new[] { "a", "bE", "N", "E", "ND", "more" }.Select(filter.Append).ToArray();
        CollectionAssert.AreEqual(new[] { "a", "b", "", "EN", "", "" }, passed);
        Assert.IsTrue(filter.IsStopped);
        Assert.AreEqual("", filter.Finish());
    }

    [TestMethod]
    public void WhatIsNoStopString_ComesLater()
    {
        var filter = new StopStringFilter(["abcd"]);
        Assert.AreEqual("x", filter.Append("xab"));
        Assert.AreEqual("ab", filter.Append("ab"));
        Assert.AreEqual("", filter.Append("c"));
        Assert.IsFalse(filter.IsStopped);
        Assert.AreEqual("abc", filter.Finish());
        Assert.AreEqual("", filter.Finish());
    }

    [TestMethod]
    public void NoStopStrings_NothingWaits()
    {
        var filter = new StopStringFilter([]);
        Assert.AreEqual("abc", filter.Append("abc"));
        Assert.AreEqual("", filter.Finish());
    }

    [TestMethod]
    [DataRow("hello STOP there", "hello ")]
    [DataRow("STOP", "")]
    [DataRow("SSTOP", "S")]
    [DataRow("xabcx", "xa")]
    [DataRow("ababac.", "abab")]
    [DataRow("nothing of it ST", "nothing of it ST")]
    public void PiecesMakeNoDifference(string text, string expected)
    {
        for (var size = 1; size <= text.Length; size++)
        {
            var filter = new StopStringFilter(["STOP", "abcd", "bc", "ac"]);
            var passed = string.Concat(text.Chunk(size).Select(piece => filter.Append(new string(piece))));
            Assert.AreEqual(expected != text, filter.IsStopped);
            Assert.AreEqual(expected, passed + filter.Finish(), $"pieces of {size}");
        }
    }
}
