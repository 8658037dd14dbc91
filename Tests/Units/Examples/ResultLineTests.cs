using System.Globalization;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Tests.Examples;

/// <summary>The last line of an example, which scripts read.</summary>
[TestClass]
public sealed class ResultLineTests
{
    [TestMethod]
    public void ToString_HasFiguresInOrder()
    {
        var line = new ResultLine { ["network.accuracy"] = 0.977, ["log-loss"] = 0.0812, ["seconds"] = 3.4 };
        line["network.accuracy"] = 0.5;
        Assert.AreEqual("result: network.accuracy=0.5 log-loss=0.0812 seconds=3.4", line.ToString());
    }

    [TestMethod]
    [DataRow(0.976746, "0.97675")]
    [DataRow(0.9999999, "1")]
    [DataRow(0.0, "0")]
    [DataRow(-19.8123, "-19.812")]
    [DataRow(0.0000512345, "0.000051235")]
    [DataRow(1e-20, "0")]
    [DataRow(123456.7, "123457")]
    [DataRow(1e15, "1000000000000000")]
    [DataRow(double.NaN, "nan")]
    [DataRow(double.PositiveInfinity, "infinity")]
    public void Figures_ArePlainNumbers(double value, string expected) =>
        Assert.AreEqual($"result: figure={expected}", new ResultLine { ["figure"] = value }.ToString());

    [TestMethod]
    public void Figures_AreTheSameInEveryCulture()
    {
        var culture = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = comma;
            Assert.AreEqual("result: a=-1234.5", new ResultLine { ["a"] = -1234.5 }.ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [TestMethod]
    [DataRow("Accuracy")]
    [DataRow("log loss")]
    [DataRow("a=b")]
    [DataRow("a..b")]
    [DataRow("")]
    public void WrongName_IsRefused(string name) =>
        Assert.ThrowsExactly<ArgumentException>(() => new ResultLine { [name] = 1 });

    [TestMethod]
    public void NameOf_ATitle() => Assert.AreEqual("784-800-10-dropout", ResultLine.NameOf("784-800-10, Dropout"));
}
