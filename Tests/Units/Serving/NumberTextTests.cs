using System.Globalization;
using System.Text;
using MLExtensions.Examples.Serving.Json;

namespace MLExtensions.Tests.Serving;

[TestClass]
public sealed class NumberTextTests
{
    [TestMethod]
    public void Floats_AreTheNearest()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var number = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-12, 13));
            foreach (var format in new[] { "R", "F3", "F8", "F17", "E9" })
            {
                var text = number.ToString(format, CultureInfo.InvariantCulture);
                Check(text, float.Parse(text, CultureInfo.InvariantCulture));
                Check(text, double.Parse(text, CultureInfo.InvariantCulture));
            }
        }
        // In the middle of two floats, and a hair beside it: as a double all three are the same.
        foreach (var text in new[] { "16777217", "16777217.0000000001", "16777216.9999999999", "0.0", "-0", "1e-50", "3.4028235e38" })
            Check(text, float.Parse(text, CultureInfo.InvariantCulture));
    }

    [TestMethod]
    public void WhatIsNoNumber_IsNone()
    {
        foreach (var text in new[] { "", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "NaN", "null", "\"1\"", "1e400" })
        {
            var read = NumberText.Read<float>(Encoding.UTF8.GetBytes(text), out _);
            Assert.IsTrue(read == 0 || read < text.Length, text);
        }
        Assert.AreEqual(0, NumberText.Read<byte>("256"u8, out _));
        Assert.AreEqual(0, NumberText.Read<int>("1.5"u8, out _));
        Assert.AreEqual(3, NumberText.Read<int>("7.0,"u8, out var whole));
        Assert.AreEqual(7, whole);
        Assert.AreEqual(20, NumberText.Read<ulong>("18446744073709551615"u8, out var largest));
        Assert.AreEqual(ulong.MaxValue, largest);
    }

    private static void Check<T>(string text, T expected)
    {
        Assert.AreEqual(text.Length, NumberText.Read<T>(Encoding.UTF8.GetBytes(text + "]"), out var read), text);
        Assert.AreEqual(expected, read, text);
    }
}
