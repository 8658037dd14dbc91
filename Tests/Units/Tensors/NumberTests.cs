using System.Reflection;
using System.Reflection.Emit;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Tests.Tensors;

/// <summary>
/// TorchSharp does not keep alive what it converts for a call (<c>x * 0.5f</c>, <c>x.clamp(0, 1)</c>), so the collector can free a number while
/// native code reads it. The race is too rare to be provoked; so the compiled code is searched for such calls instead.
/// </summary>
[TestClass]
public sealed class NumberTests
{
    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Dictionary<MethodBase, bool> _converts = [];

    [TestMethod]
    public void ProductCode_KeepsTheNumbersItHandsOver()
    {
        Assembly[] product = [typeof(TorchRuntime).Assembly, typeof(TrainedNetwork).Assembly, typeof(CnnCatalog).Assembly];
        var calls = product.SelectMany(assembly => assembly.GetTypes()).Where(type => type != typeof(Number)).SelectMany(Methods)
            .SelectMany(method => Calls(method).Where(Converts).Select(called => $"{method.DeclaringType}.{method.Name} calls {called.DeclaringType!.Name}.{called}"))
            .Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.IsEmpty(calls, "Hand over Number.Of(value) instead:\n" + string.Join("\n", calls));
    }

    /// <summary>Proof that the search finds what it is for.</summary>
    [TestMethod]
    public void Search_FindsConversionsHereAndInTorchSharp()
    {
        Assert.Contains(true, Calls(((Func<torch.Tensor, torch.Tensor>)(x => x.clamp(0, 1))).Method).Select(Converts));
        Assert.Contains(true, Calls(((Func<torch.Tensor, torch.Tensor>)(x => x * 2f)).Method).Select(Converts));
        Assert.Contains(true, Calls(((Func<torch.Tensor, torch.Tensor>)(x => torch.nn.functional.elu(x, 1.0))).Method).Select(Converts));
        Assert.DoesNotContain(true, Calls(((Func<torch.Tensor, torch.Tensor>)(x => x.mul(Number.Of(2f)).sigmoid())).Method).Select(Converts));
    }

    private static IEnumerable<MethodBase> Methods(Type type)
    {
        const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        return type.GetMethods(Own).Cast<MethodBase>().Concat(type.GetConstructors(Own)).Where(method => !method.IsStatic || method.Name != ".cctor");
    }

    /// <summary>Whether a method of TorchSharp makes a <see cref="Scalar"/> of a number, itself or in what it calls.</summary>
    private bool Converts(MethodBase method)
    {
        if (method.DeclaringType?.Assembly != typeof(torch).Assembly)
            return false;
        if (method.DeclaringType == typeof(Scalar))
            return method.Name == "op_Implicit";
        if (_converts.TryGetValue(method, out var known))
            return known;
        _converts[method] = false; // while it is looked at, for what calls itself
        return _converts[method] = Calls(method).Any(Converts);
    }

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var (types, arguments) = (method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null, method.IsGenericMethod ? method.GetGenericArguments() : null);
        for (var at = 0; at < code.Length;)
        {
            var operation = Codes[code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at]];
            at += operation.Size;
            if (operation.OperandType == OperandType.InlineMethod)
                yield return method.Module.ResolveMethod(BitConverter.ToInt32(code, at), types, arguments)!;
            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }
}
